/**
 * The command line. Each command is loaded when it is called, so `orrery --help` and completion stay quick.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import { completionScript, SHELLS, type Shell } from './completion.js'
import { DEFAULT_DATA_DIR } from './datadir.js'
import { explainFailure, UsageError } from './failures.js'
import { startSmall } from './heap.js'
import type { ApiserverFlags } from './apiserver.js'
import type { BackupFlags, RestoreFlags } from './backup.js'
import type { ControllerManagerFlags } from './controllermanager.js'
import type { ExplainFlags } from './explain.js'
import type { PermissionsFlags } from './permissions.js'
import type { FsckFlags } from './fsck.js'
import type { KubeFlags } from './kube.js'
import type { KubeconfigFlags } from './kubeconfig.js'
import { type ConfigurationFlags, LOG_LEVELS, portNumber } from './options.js'
import type { NotificationManagerFlags } from './notificationmanager.js'
import type { UpFlags } from './up.js'
import { versionText } from './version.js'

function port(text: string): number {
  try {
    return portNumber(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

function atLeastOne(text: string): number {
  const number = count(text)
  if (number === 0) throw new InvalidArgumentError('Give a whole number from 1 on.')
  return number
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('give a whole number, 0 or more')
  return value
}

const dataDir = (): Option => new Option('--data-dir <DIR>', 'where state is kept').default(DEFAULT_DATA_DIR)
const configFile = (): Option =>
  new Option('--config <FILE>', 'configuration file (default: kubesphere.yaml in /etc/kubesphere or here)')
const kubeconfigFile = (what: string): Option => new Option('--kubeconfig <FILE>', what)
function controllers(): Option {
  return new Option(
    '--controllers <LIST>',
    'which controllers run: *, name, -name, separated by commas',
  ).argParser((text) => text.split(',').map((name) => name.trim()))
}

const logLevel = (): Option =>
  new Option('--log-level <LEVEL>', 'least severe messages to log').choices(LOG_LEVELS).default('info')
const platformPort = (): Option =>
  new Option('--port <PORT>', 'port of the platform API, 0 for any free one').argParser(port).default(9090)
const bindAddress = (): Option =>
  new Option('--bind-address <ADDRESS>', 'address to listen on').default('127.0.0.1')
const maxRequests = (): Option =>
  new Option(
    '--max-requests-inflight <N>',
    'requests worked on at the same time; more wait their turn, and too many are answered 429',
  )
    .argParser(atLeastOne)
    .default(256)
const nodes = (): Option =>
  new Option('--nodes <N>', 'simulated nodes of the embedded Kubernetes API; with 0 nothing runs pods')
    .argParser(count)
    .default(1)
const kubeControllers = (): Option =>
  new Option(
    '--kube-controllers <NAMES>',
    "controllers of the embedded API that run: names separated by commas, '*' for all, '-NAME' for all but that one",
  ).argParser((text) => text.split(',').map((name) => name.trim()))
const stages = (): Option =>
  new Option('--stages <DIR>', 'YAML files that say what simulated containers do, before those built in')
const kubePort = (): Option =>
  new Option('--kube-port <PORT>', 'port of the embedded Kubernetes API, 0 for any free one')
    .argParser(port)
    .default(6443)
const notificationPort = (flag: string): Option =>
  new Option(`${flag} <PORT>`, 'port of the notification manager, 0 for any free one')
    .argParser(port)
    .default(19093)
const allowEgress = (): Option =>
  new Option(
    '--allow-egress <CIDRS>',
    'addresses inside that messages of tenants may go to, separated by commas',
  ).argParser((text) => text.split(',').map((range) => range.trim()))
const webhookPort = (): Option =>
  new Option('--webhook-port <PORT>', 'serve admission webhooks here (HTTPS)').argParser(port).default(8443)
const output = (): Option =>
  new Option('-o, --output <FORMAT>', 'form of the answer').choices(['text', 'json']).default('text')

function program(): Command {
  const orrery = new Command('orrery')
    .description(
      'A multi-tenant Kubernetes platform API, compatible with KubeSphere clients, on an embedded Kubernetes API or in front of a real cluster.',
    )
    .version(versionText(), '-V, --version')
    // A command and one below it may have options of the same name, such as --data-dir.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what can be given)')
    .addHelpText(
      'after',
      `
Examples:
  orrery up                                  everything in one process, state in ${DEFAULT_DATA_DIR}/
  orrery up --memory --port 0 --kube-port 0  a throw-away platform on free ports
  orrery up --prometheus                     with metrics of a real Prometheus
  orrery up --kubeconfig ~/.kube/config      the platform in front of a real cluster
  orrery explain GET /kapis/resources.kubesphere.io/v1alpha3/pods --user alice
  orrery permissions alice
  kubectl --kubeconfig ${DEFAULT_DATA_DIR}/kubeconfig get namespaces`,
    )

  orrery
    .command('up')
    .description('run everything in one process')
    .addOption(dataDir())
    .option('--memory', 'keep all state in memory; nothing survives the process', false)
    .addOption(platformPort())
    .addOption(bindAddress())
    .addOption(maxRequests())
    .addOption(kubePort())
    .addOption(notificationPort('--notification-port'))
    .addOption(allowEgress())
    .addOption(configFile())
    .addOption(kubeconfigFile('work on this cluster instead of the embedded Kubernetes API'))
    .addOption(webhookPort())
    .option(
      '--webhook-url <URL>',
      'with --kubeconfig: where the cluster reaches the webhooks (default: they are not registered)',
    )
    .addOption(nodes())
    .addOption(stages())
    .addOption(kubeControllers())
    .option(
      '--prometheus',
      'start the prometheus found on PATH and answer metrics from it, unless monitoring.endpoint names one',
      false,
    )
    .addOption(controllers())
    .addOption(logLevel())
    .action(async (flags: UpFlags) => (await import('./up.js')).up(flags))

  orrery
    .command('apiserver')
    .description('run the platform API alone, in front of a Kubernetes API')
    .addOption(configFile())
    .addOption(
      kubeconfigFile('the Kubernetes API to work on (default: $KUBECONFIG, ~/.kube/config, in-cluster)'),
    )
    .addOption(platformPort())
    .addOption(bindAddress().default('0.0.0.0'))
    .addOption(maxRequests())
    .option(
      '--secure-port <PORT>',
      'serve TLS on this port instead; needs --tls-cert-file and --tls-private-key',
      port,
    )
    .option('--tls-cert-file <FILE>', 'certificate of the server, PEM')
    .option('--tls-private-key <FILE>', 'key of the certificate, PEM')
    .option(
      '--install',
      'create the platform’s definitions, roles and admin user where they are missing',
      false,
    )
    .addOption(logLevel())
    .action(async (flags: ApiserverFlags) => (await import('./apiserver.js')).apiserver(flags))

  orrery
    .command('controller-manager')
    .description('run the platform’s controllers alone, against a Kubernetes API')
    .addOption(configFile())
    .addOption(
      kubeconfigFile('the Kubernetes API to work on (default: $KUBECONFIG, ~/.kube/config, in-cluster)'),
    )
    .option('--leader-elect', 'work only while holding the lease, for several replicas', false)
    .addOption(controllers())
    .addOption(webhookPort())
    .option(
      '--webhook-url <url>',
      'where the Kubernetes API reaches them (default: Service ks-controller-manager, in a pod)',
    )
    .addOption(logLevel())
    .action(async (flags: ControllerManagerFlags) =>
      (await import('./controllermanager.js')).controllerManager(flags),
    )

  orrery
    .command('notification-manager')
    .description('run the notification manager alone: accepts alerts and sends messages')
    .addOption(configFile())
    .addOption(
      kubeconfigFile('the Kubernetes API to work on (default: $KUBECONFIG, ~/.kube/config, in-cluster)'),
    )
    .addOption(dataDir())
    .addOption(notificationPort('--port'))
    .addOption(bindAddress())
    .addOption(allowEgress())
    .addOption(logLevel())
    .action(async (flags: NotificationManagerFlags) =>
      (await import('./notificationmanager.js')).notificationManager(flags),
    )

  const kube = orrery
    .command('kube')
    .description('run the embedded Kubernetes API alone')
    .enablePositionalOptions()
    .addOption(dataDir())
    .option('--memory', 'keep all state in memory', false)
    .addOption(kubePort())
    .addOption(bindAddress())
    .addOption(nodes())
    .addOption(stages())
    .addOption(kubeControllers())
    .addOption(logLevel())
    .action(async (flags: KubeFlags) => (await import('./kube.js')).kube(flags))

  kube
    .command('fsck')
    .description('check every byte of the stored state; changes nothing, also while a server runs')
    .addOption(dataDir())
    .action(async (flags: FsckFlags) => (await import('./fsck.js')).fsck(flags))
  kube
    .command('backup')
    .description('write the whole state to a file, also while a server runs')
    .argument('<FILE>', 'archive to write')
    .addOption(dataDir())
    .action(async (to: string, flags: Omit<BackupFlags, 'to'>) =>
      (await import('./backup.js')).backup({ ...flags, to }),
    )
  kube
    .command('restore')
    .description('fill an empty data directory from a backup')
    .argument('<FILE>', 'archive to read')
    .addOption(dataDir())
    .action(async (from: string, flags: Omit<RestoreFlags, 'from'>) =>
      (await import('./backup.js')).restore({ ...flags, from }),
    )

  orrery
    .command('backup')
    .description('write the whole state of the embedded Kubernetes API to a file, also while it runs')
    .requiredOption('--to <FILE>', 'archive to write')
    .addOption(dataDir())
    .action(async (flags: BackupFlags) => (await import('./backup.js')).backup(flags))

  orrery
    .command('restore')
    .description('fill an empty data directory from a backup, or from lists of objects')
    .requiredOption(
      '--from <FILE>',
      'an archive of `orrery backup`, or JSON of the form { "<list path>": <List> }',
    )
    .addOption(dataDir())
    .option('--crds <DIR>', 'folder of CustomResourceDefinitions (YAML) that the lists need')
    .action(async (flags: RestoreFlags) => (await import('./backup.js')).restore(flags))

  orrery
    .command('kubeconfig')
    .description('print a kubeconfig for the embedded Kubernetes API')
    .option('--user <NAME>', 'make it for this user instead of the administrator')
    .addOption(dataDir())
    .action(async (flags: KubeconfigFlags) => (await import('./kubeconfig.js')).kubeconfig(flags))

  const config = orrery.command('config').description('look at the configuration')
  config
    .command('check')
    .description('say what is wrong or odd in the configuration')
    .addOption(configFile())
    .action(async (flags: ConfigurationFlags) =>
      print((await import('./config.js')).checkConfiguration(flags)),
    )
  config
    .command('print')
    .description('print the configuration in effect, secrets masked')
    .addOption(configFile())
    .action(async (flags: ConfigurationFlags) =>
      print((await import('./config.js')).printConfiguration(flags)),
    )

  orrery
    .command('explain')
    .description('tell what would happen to a request, filter by filter, and which role decides it')
    .argument('<METHOD>', 'GET, POST, ...')
    .argument('<PATH>', 'path and query, as a client would send them')
    .option('--user <NAME>', 'who asks (default: anonymous)')
    .addOption(output())
    .addOption(dataDir())
    .addOption(configFile())
    .option('--server <URL>', 'the running server (default: the one of the data directory)')
    .option('--token <TOKEN>', 'access token of a platform administrator, with --server')
    .action(async (method: string, path: string, flags: ExplainFlags) =>
      print(await (await import('./explain.js')).explain(method, path, flags)),
    )

  orrery
    .command('permissions')
    .description('tell what a user may do, place by place, and through which binding of which role')
    .argument('<USER>', 'name of the user')
    .option('--workspace <NAME>', 'only what counts in this workspace')
    .option('--namespace <NAME>', 'only what counts in this project')
    .addOption(output())
    .addOption(dataDir())
    .addOption(configFile())
    .option('--server <URL>', 'the running server (default: the one of the data directory)')
    .option('--token <TOKEN>', 'access token of a platform administrator, with --server')
    .action(async (user: string, flags: PermissionsFlags) =>
      print(await (await import('./permissions.js')).permissions(user, flags)),
    )

  orrery
    .command('version')
    .description('print the version')
    .addOption(output())
    .action((flags: { output: string }) => print(versionText(flags.output === 'json')))

  orrery
    .command('completion')
    .description('print a completion script for a shell')
    .argument('<SHELL>', SHELLS.join(', '))
    .addHelpText(
      'after',
      '\nbash:  source <(orrery completion bash)\nzsh:   source <(orrery completion zsh)\nfish:  orrery completion fish | source',
    )
    .action((shell: string) => {
      const known = SHELLS.find((candidate) => candidate === shell)
      if (!known) throw new UsageError(`No completion for "${shell}"; there is one for ${SHELLS.join(', ')}.`)
      process.stdout.write(completionScript(orrery, known satisfies Shell))
    })

  return orrery
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export async function main(args: string[]): Promise<void> {
  startSmall()
  // A reader such as `head` may leave early.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  try {
    await program().parseAsync(args, { from: 'user' })
  } catch (error) {
    process.stderr.write(
      `orrery: ${explainFailure(error, args.includes('debug') || args.includes('trace'))}\n`,
    )
    process.exit(1)
  }
}
