// Offers requests at an even rate, whatever becomes of the earlier ones: pacer URL TOKEN RATE CONNECTIONS SECONDS.
// How long one took counts from the moment when it was due, also when every connection was busy then. Prints JSON.
package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"
)

type connection struct {
	net.Conn
	reader *bufio.Reader
}

var (
	request []byte
	// Who has nothing to do, and what was due when nobody had.
	mutex   sync.Mutex
	idle    []*connection
	waiting []time.Time
	tookMs  []float64
	failed  int
	over    sync.WaitGroup
)

func main() {
	target, err := url.Parse(os.Args[1])
	check(err)
	rate, connections, seconds := number(3), number(4), number(5)
	request = []byte("GET " + target.RequestURI() + " HTTP/1.1\r\nHost: " + target.Host +
		"\r\nAuthorization: Bearer " + os.Args[2] + "\r\n\r\n")
	for i := 0; i < connections; i++ {
		c := open(target)
		_, err = c.Write(request) // The first one of each warms up.
		check(err)
		_, err = c.answer()
		check(err)
		idle = append(idle, c)
	}
	total := rate * seconds
	over.Add(total)
	// Timers of goroutines are a millisecond late when nothing else wakes the poller.
	runtime.LockOSThread()
	start := time.Now()
	for i := 0; i < total; i++ {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(rate))
		for left := time.Until(due); left > 0; left = time.Until(due) {
			wait := syscall.NsecToTimespec(int64(left))
			syscall.Nanosleep(&wait, nil)
		}
		offer(due)
	}
	over.Wait()
	sort.Float64s(tookMs)
	check(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"perSecond": float64(total) / time.Since(start).Seconds(), "failed": failed,
		"p50Ms": tookMs[total/2], "p99Ms": tookMs[total*99/100], "requests": total,
	}))
}

func open(target *url.URL) *connection {
	conn, err := net.Dial("tcp", target.Host)
	check(err)
	if target.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	return &connection{Conn: conn, reader: bufio.NewReader(conn)}
}

func offer(due time.Time) {
	mutex.Lock()
	if len(idle) == 0 {
		waiting = append(waiting, due)
		mutex.Unlock()
		return
	}
	c := idle[0]
	idle = idle[1:]
	mutex.Unlock()
	go c.run(due)
}

// One request, and what waits for a connection after it.
func (c *connection) run(due time.Time) {
	for {
		_, err := c.Write(request)
		ok := false
		if err == nil {
			ok, err = c.answer()
		}
		check(err)
		took := time.Since(due).Seconds() * 1000
		mutex.Lock()
		tookMs = append(tookMs, took)
		if !ok {
			failed++
		}
		over.Done()
		if len(waiting) == 0 {
			idle = append(idle, c)
			mutex.Unlock()
			return
		}
		due = waiting[0]
		waiting = waiting[1:]
		mutex.Unlock()
	}
}

func (c *connection) answer() (ok bool, err error) {
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return false, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode < 400, err
}

func number(argument int) int {
	n, err := strconv.Atoi(os.Args[argument])
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
