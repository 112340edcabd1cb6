import { describe, expect, it } from 'vitest'
import { Files } from '../files/files.js'
import { scratchLayer } from '../files/layers.js'
import { run, type Machine } from './run.js'

const machineWith = (limitBytes?: number): Machine => ({
  env: { NAME: 'world' },
  hostname: 'web-0',
  files: new Files({ files: { '/etc/hostname': 'web-0\n' } }, scratchLayer(limitBytes), () => 0),
  startedAt: Date.UTC(2026, 0, 1),
  program: () => ({ exitCode: 127 }),
})

/** What comes out in the first `limitMs` of its own time. */
function play(script: string, limitMs = 3_600_000): { text: string; ms: number; code: number | string } {
  const steps = run(['/bin/sh', '-c', script], machineWith())
  let [text, ms] = ['', 0]
  for (;;) {
    const step = steps.next()
    if (step.done) return { text, ms, code: step.value }
    if ('waitMs' in step.value) ms += step.value.waitMs
    else if ('text' in step.value) text += step.value.text.toString()
    if (ms > limitMs) return { text, ms, code: 'running' }
  }
}

const DIRECTORIES = 'a b\nbin\ndev\netc\nhome\nopt\nroot\nsrv\ntmp\nusr\nvar\n'

describe('the shell of a simulated container', () => {
  it.each([
    ['echo "hello $NAME"; exit 3', { text: 'hello world\n', ms: 0, code: 3 }],
    ['sleep 2 && echo done', { text: 'done\n', ms: 2000, code: 0 }],
    ['false || echo saved', { text: 'saved\n', ms: 0, code: 0 }],
    ['false && echo never', { text: '', ms: 0, code: 1 }],
    ['for i in 1 2 3; do echo -n $i; sleep 1; done', { text: '123', ms: 3000, code: 0 }],
    ['if [ "$NAME" = world ]; then echo \'yes\'; else echo no; fi', { text: 'yes\n', ms: 0, code: 0 }],
    ['echo hidden > /tmp/x; cat /etc/hostname', { text: 'web-0\n', ms: 0, code: 0 }],
    ['echo out 2>&1; echo $(hostname) # a remark', { text: 'out\nweb-0\n', ms: 0, code: 0 }],
    ['set -e\nX=5\necho ${X}', { text: '5\n', ms: 0, code: 0 }],
    ['sleep infinity', { text: '', ms: 0, code: 'forever' }],
    ['nonsense; echo $?', { text: '127\n', ms: 0, code: 0 }],
    ['date +%F', { text: '2026-01-01\n', ms: 0, code: 0 }],
    ['echo one > /tmp/x; echo two >> /tmp/x; cat /tmp/x', { text: 'one\ntwo\n', ms: 0, code: 0 }],
    ['echo lost >/dev/null; echo kept > "/a b"; ls /; rm "/a b"', { text: DIRECTORIES, ms: 0, code: 0 }],
    ['cd /srv && mkdir -p a/b && touch a/b/c && ls a/b && pwd', { text: 'c\n/srv\n', ms: 0, code: 0 }],
    ['test -d /srv && test ! -d /nothing && [ -s /etc/hostname ]', { text: '', ms: 0, code: 0 }],
    ['cat < /etc/hostname > /x; cat /x', { text: 'web-0\n', ms: 0, code: 0 }],
    ['nothing > /x 2>&1; echo err >&2 2>/dev/null; cat /x', { text: 'err\n', ms: 0, code: 0 }],
    ['rm /none', { text: 'rm: /none: No such file or directory\n', ms: 0, code: 1 }],
    ['rm -f /none; rm -r /etc; ls /etc', { text: 'ls: /etc: No such file or directory\n', ms: 0, code: 1 }],
    ['echo x > /etc', { text: "sh: can't create /etc: Is a directory\n", ms: 0, code: 1 }],
    [
      'echo x > /etc/hostname/y',
      { text: "sh: can't create /etc/hostname/y: Not a directory\n", ms: 0, code: 1 },
    ],
    ['(echo a; echo b) && { echo c; }', { text: 'a\nb\nc\n', ms: 0, code: 0 }],
    ['until true; do echo never; done', { text: '', ms: 0, code: 0 }],
  ])('runs %j', (script, expected) => {
    expect(play(script)).toEqual(expected)
  })

  it.each([
    ['loops within loops', 'for a in 0 1 2 3 4 5 6 7 8 9; do '.repeat(9) + ':; ' + 'done; '.repeat(9)],
    [
      'words that double',
      'X=xxxxxxxxxxxxxxxx; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do X=$X$X; done; echo $X',
    ],
    ['files copied again and again', 'echo x > /f; ' + 'cat /f /f > /g; cat /g /g > /f; '.repeat(6000)],
    ['directories without end', 'for a in $(echo 1); do ' + 'mkdir -p /a$RANDOM/b; '.repeat(12_000) + 'done'],
    ['brackets without end', '('.repeat(100_000)],
  ])('gives up on %s instead of keeping everybody waiting', (_what, script) => {
    const began = process.cpuUsage()

    expect(() => play(script)).toThrow()
    expect(process.cpuUsage(began).user).toBeLessThan(5e6) // µs
  })

  it('goes on for ever where the script does, in its own time', () => {
    expect(play('while true; do echo tick; sleep 1; done', 4_500)).toEqual({
      text: 'tick\n'.repeat(5),
      ms: 5000,
      code: 'running',
    })
    expect(play('while :; do :; done', 100).code).toBe('running')
  })
})
