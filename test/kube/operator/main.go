// An operator as people write them, for the acceptance tests: a Site becomes a Deployment. It knows nothing of the
// server that it runs against but a kubeconfig; scripts/build-kubernetes.sh builds it with client-go 0.20.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API")
	id := flag.String("id", "", "the name of this instance")
	namespace := flag.String("namespace", "default", "holds the Lease and the directory of sites")
	lease := flag.Duration("lease", 15*time.Second, "how long a leader that is silent stays the leader")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	check(err)
	sites, err := dynamic.NewForConfig(config)
	check(err)
	// Built-in kinds travel as protobuf, as in every controller of weight.
	typed := rest.CopyConfig(config)
	typed.ContentType = "application/vnd.kubernetes.protobuf"
	typed.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(typed)
	check(err)

	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "site-operator"})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	// Every instance answers webhooks; the leader says which is asked.
	hooks, err := serveWebhooks()
	check(err)

	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: *namespace, Name: "site-operator"},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: *id, EventRecorder: recorder},
	}
	for ctx.Err() == nil {
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock:            lock,
			LeaseDuration:   *lease,
			RenewDeadline:   *lease * 3 / 4,
			RetryPeriod:     *lease / 8,
			ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) {
					log.Printf("%s leads", *id)
					if err := hooks.register(ctx, client); err != nil {
						log.Fatalf("webhooks: %v", err)
					}
					newController(client, sites, recorder, *namespace).run(ctx)
				},
				OnStoppedLeading: func() { log.Printf("%s does not lead", *id) },
			},
		})
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
