/** The controllers of workloads, services, volumes and budgets: which there are, and what each follows. */
import { controllerOf } from '../../apimachinery/meta/accessors.js'
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Controller, type EventRecorder, type Request, type Source } from '../../controller/index.js'
import { type NamespaceQuotaObject } from '../../tenancy/quota/index.js'
import { type Pod, type ResourceList, type Service } from '../builtin/types.js'
import { type Objects } from '../objects.js'
import { type Clock } from '../registry/clock.js'
import { type Node } from '../scheduling/types.js'
import { type Collection, type Collections, selectorOf, selectorOfMap } from './collections.js'
import { type CronJob, CronJobReconciler } from './cronjob/cronjob.reconciler.js'
import { type DaemonSet, DaemonSetReconciler } from './daemonset/daemonset.reconciler.js'
import { deploymentAbove, DeploymentReconciler } from './deployment/deployment.reconciler.js'
import { type Deployment } from './deployment/types.js'
import { type DisruptionBudget, DisruptionReconciler } from './disruption/disruption.reconciler.js'
import { type Endpoints, EndpointsReconciler } from './endpoints/endpoints.reconciler.js'
import { EndpointSliceReconciler } from './endpointslice/endpointslice.reconciler.js'
import { MirroringReconciler } from './endpointslice/mirroring.reconciler.js'
import { type EndpointSlice, SERVICE_NAME } from './endpointslice/slices.js'
import { EventExpiryReconciler } from './eventexpiry/eventexpiry.reconciler.js'
import { JobExpiryReconciler } from './job/expiry.reconciler.js'
import { JobReconciler } from './job/job.reconciler.js'
import { type Job } from './job/types.js'
import { NodeLifecycleReconciler } from './nodelifecycle/nodelifecycle.reconciler.js'
import { ClaimsReconciler } from './persistentvolume/claims.reconciler.js'
import { type Claim, type PersistentVolume, type StorageClass } from './persistentvolume/types.js'
import { VolumesReconciler } from './persistentvolume/volumes.reconciler.js'
import { type PodAutoscaler, PodAutoscalerReconciler } from './podautoscaler/podautoscaler.reconciler.js'
import { PodGcReconciler } from './podgc/podgc.reconciler.js'
import { isEnding } from './pods/state.js'
import { type ReplicaOwner, ReplicasReconciler } from './replicaset/replicas.reconciler.js'
import { ResourceQuotaReconciler } from './resourcequota/resourcequota.reconciler.js'
import { type ControllerRevision } from './revisions/history.js'
import { dependentsOf, eachOf, related, requestOf } from './sources.js'
import { StatefulSetReconciler } from './statefulset/statefulset.reconciler.js'
import { type StatefulSet } from './statefulset/types.js'
import { Stored } from './stored.js'
import { type Writer } from './writer.js'

export interface WorkloadsDeps {
  objects: Objects
  collections: Collections
  writer: Writer
  clock: Clock
  recorder: (component: string) => EventRecorder
  /** What a pod uses, where that is known. */
  usageOf?: (pod: Readonly<Pod>) => ResourceList | undefined
}

/** By name, each made only when it is wanted: what it follows costs memory. */
export function workloadControllers(deps: WorkloadsDeps): Record<string, () => Controller> {
  const { objects, collections, writer, clock, recorder, usageOf = () => undefined } = deps
  const stored = <T extends KubeObject>(group: string, version: string, resource: string): Stored<T> =>
    new Stored<T>(collections, writer, group, version, resource)
  const pods = once(() => stored<Pod>('', 'v1', 'pods'))
  const services = once(() => collections.of<Service>('', 'services'))
  const nodes = once(() => stored<Node>('', 'v1', 'nodes'))
  const sets = once(() => stored<ReplicaOwner>('apps', 'v1', 'replicasets'))
  const jobs = once(() => stored<Job>('batch', 'v1', 'jobs'))
  const claims = once(() => stored<Claim>('', 'v1', 'persistentvolumeclaims'))
  const volumes = once(() => stored<PersistentVolume>('', 'v1', 'persistentvolumes'))
  const revisions = once(() => stored<ControllerRevision>('apps', 'v1', 'controllerrevisions'))
  const slices = once(() => stored<EndpointSlice>('discovery.k8s.io', 'v1', 'endpointslices'))
  const podsOn = once(() => pods().collection.indexedBy(({ spec }) => [spec.nodeName ?? '']))
  const slicesOf = once(() =>
    slices().collection.indexedBy(({ metadata: { namespace = '', labels } }) => [
      `${namespace}/${labels?.[SERVICE_NAME] ?? ''}`,
    ]),
  )

  const make: Record<string, () => Omit<Controller, 'name'>> = {
    replicaset: () => {
      const owners = sets()
      const of = (owner: Readonly<ReplicaOwner>) => selectorOf(owner.spec.selector)
      const reconciler = new ReplicasReconciler({
        owners,
        pods: pods(),
        selectorOf: of,
        recorder: recorder('replicaset-controller'),
        clock,
      })
      const dependents = dependentsOf(pods().collection, 'ReplicaSet', owners.collection, of)
      return { reconciler, sources: [eachOf(owners.collection), dependents], workers: 5 }
    },
    replicationcontroller: () => {
      const owners = stored<ReplicaOwner>('', 'v1', 'replicationcontrollers')
      const of = (owner: Readonly<ReplicaOwner>) =>
        selectorOfMap(owner.spec.selector as unknown as Record<string, string>)
      const reconciler = new ReplicasReconciler({
        owners,
        pods: pods(),
        selectorOf: of,
        recorder: recorder('replication-controller'),
        clock,
      })
      const dependents = dependentsOf(pods().collection, 'ReplicationController', owners.collection, of)
      return { reconciler, sources: [eachOf(owners.collection), dependents], workers: 5 }
    },
    deployment: () => {
      const deployments = stored<Deployment>('apps', 'v1', 'deployments')
      const reconciler = new DeploymentReconciler({
        deployments,
        sets: sets(),
        pods: pods(),
        recorder: recorder('deployment-controller'),
        clock,
      })
      const dependents = dependentsOf(sets().collection, 'Deployment', deployments.collection, ({ spec }) =>
        selectorOf(spec.selector),
      )
      return {
        reconciler,
        sources: [eachOf(deployments.collection), dependents, goneBelow(pods().collection, sets())],
        workers: 5,
      }
    },
    statefulset: () => {
      const owners = stored<StatefulSet>('apps', 'v1', 'statefulsets')
      const reconciler = new StatefulSetReconciler({
        sets: owners,
        pods: pods(),
        claims: claims(),
        revisions: revisions(),
        recorder: recorder('statefulset-controller'),
      })
      const dependents = dependentsOf(pods().collection, 'StatefulSet', owners.collection, ({ spec }) =>
        selectorOf(spec.selector),
      )
      return { reconciler, sources: [eachOf(owners.collection), dependents], workers: 5 }
    },
    daemonset: () => {
      const owners = stored<DaemonSet>('apps', 'v1', 'daemonsets')
      const reconciler = new DaemonSetReconciler({
        sets: owners,
        pods: pods(),
        revisions: revisions(),
        nodes: nodes().collection,
        recorder: recorder('daemonset-controller'),
        clock,
      })
      const dependents = dependentsOf(pods().collection, 'DaemonSet', owners.collection, ({ spec }) =>
        selectorOf(spec.selector),
      )
      return {
        reconciler,
        sources: [eachOf(owners.collection), dependents, byNodes(nodes().collection, owners.collection)],
      }
    },
    job: () => {
      const reconciler = new JobReconciler({
        jobs: jobs(),
        pods: pods(),
        recorder: recorder('job-controller'),
        clock,
      })
      const dependents = dependentsOf(pods().collection, 'Job', jobs().collection, ({ spec }) =>
        selectorOf(spec.selector),
      )
      return { reconciler, sources: [eachOf(jobs().collection), dependents], workers: 5 }
    },
    'ttl-after-finished': () => ({
      reconciler: new JobExpiryReconciler({ jobs: jobs(), clock }),
      sources: [eachOf(jobs().collection)],
    }),
    cronjob: () => {
      const cronJobs = stored<CronJob>('batch', 'v1', 'cronjobs')
      const reconciler = new CronJobReconciler({
        cronJobs,
        jobs: jobs(),
        recorder: recorder('cronjob-controller'),
        clock,
      })
      const owned = related(jobs().collection, ownerNamed('CronJob'))
      return { reconciler, sources: [eachOf(cronJobs.collection), owned] }
    },
    endpoint: () => {
      const endpoints = stored<Endpoints>('', 'v1', 'endpoints')
      const reconciler = new EndpointsReconciler({
        services: services(),
        pods: pods().collection,
        endpoints,
      })
      return {
        reconciler,
        sources: [eachOf(services()), servicesOf(pods().collection, services()), gone(endpoints.collection)],
        workers: 5,
      }
    },
    endpointslice: () => {
      const reconciler = new EndpointSliceReconciler({
        services: services(),
        pods: pods().collection,
        slices: slices(),
        slicesOf: slicesOf(),
      })
      const changed = related(slices().collection, serviceNamed)
      return {
        reconciler,
        sources: [eachOf(services()), servicesOf(pods().collection, services()), changed],
        workers: 5,
      }
    },
    endpointslicemirroring: () => {
      const endpoints = collections.of<Endpoints>('', 'endpoints')
      const reconciler = new MirroringReconciler({
        services: services(),
        endpoints,
        slices: slices(),
        slicesOf: slicesOf(),
      })
      return { reconciler, sources: [eachOf(services()), eachOf(endpoints)] }
    },
    resourcequota: () => {
      const quotas = stored<NamespaceQuotaObject>('', 'v1', 'resourcequotas')
      const reconciler = new ResourceQuotaReconciler({ quotas, collections, clock })
      return { reconciler, sources: [reconciler.source] }
    },
    'persistentvolume-binder': () => {
      const reconciler = new ClaimsReconciler({
        claims: claims(),
        volumes: volumes(),
        classes: collections.of<StorageClass>('storage.k8s.io', 'storageclasses'),
        recorder: recorder('persistentvolume-controller'),
      })
      const classes = collections.of<StorageClass>('storage.k8s.io', 'storageclasses')
      const openClaims = function* (): Iterable<Request> {
        for (const claim of claims().collection.all()) if (!claim.spec.volumeName) yield requestOf(claim)
      }
      const waiting = related(volumes().collection, function* ({ spec, status }) {
        const { claimRef } = spec
        if (claimRef?.name !== undefined) yield { namespace: claimRef.namespace ?? '', name: claimRef.name }
        else if (status.phase === 'Available') yield* openClaims()
      })
      return {
        reconciler,
        sources: [eachOf(claims().collection), waiting, related(classes, openClaims)],
        // One at a time: two claims must not take the same volume.
        workers: 1,
      }
    },
    persistentvolume: () => {
      const reconciler = new VolumesReconciler({
        claims: claims(),
        volumes: volumes(),
        recorder: recorder('persistentvolume-controller'),
      })
      const ofClaims = related(claims().collection, function* ({ spec }) {
        if (spec.volumeName) yield { namespace: '', name: spec.volumeName }
      })
      return { reconciler, sources: [eachOf(volumes().collection), ofClaims] }
    },
    disruption: () => {
      const budgets = stored<DisruptionBudget>('policy', 'v1', 'poddisruptionbudgets')
      const reconciler = new DisruptionReconciler({ budgets, pods: pods().collection, collections, clock })
      const ofPods = related(pods().collection, function* ({ metadata: { namespace = '', labels } }) {
        for (const budget of budgets.collection.inNamespace(namespace)) {
          if (selectorOf(budget.spec.selector).matches(labels)) yield requestOf(budget)
        }
      })
      return { reconciler, sources: [eachOf(budgets.collection), ofPods] }
    },
    podgc: () => {
      const reconciler = new PodGcReconciler({
        pods: pods(),
        podsOn: podsOn(),
        nodes: nodes().collection,
        clock,
      })
      const lost = related(pods().collection, function* (pod) {
        const { nodeName = '' } = pod.spec
        if (nodeName === '' ? isEnding(pod) : !nodes().get('', nodeName))
          yield { namespace: '', name: nodeName }
      })
      return { reconciler, sources: [gone(nodes().collection), lost] }
    },
    nodelifecycle: () => {
      const reconciler = new NodeLifecycleReconciler({
        nodes: nodes(),
        pods: pods(),
        podsOn: podsOn(),
        recorder: recorder('taint-controller'),
        clock,
      })
      const placed = related(pods().collection, function* ({ spec: { nodeName = '' } }) {
        const node = nodes().get('', nodeName)
        if (node?.spec.taints?.some(({ effect }) => effect === 'NoExecute'))
          yield { namespace: '', name: nodeName }
      })
      return { reconciler, sources: [eachOf(nodes().collection), placed] }
    },
    podautoscaler: () => {
      const autoscalers = stored<PodAutoscaler>('autoscaling', 'v2', 'horizontalpodautoscalers')
      const reconciler = new PodAutoscalerReconciler({
        autoscalers,
        pods: pods().collection,
        collections,
        writer,
        usageOf,
        recorder: recorder('horizontal-pod-autoscaler'),
        clock,
      })
      return { reconciler, sources: [whenSpecChanges(autoscalers.collection)] }
    },
    'event-ttl': () => {
      const reconciler = new EventExpiryReconciler({ objects, writer, clock })
      return { reconciler, sources: [reconciler.source], workers: 1 }
    },
  }
  return Object.fromEntries(Object.entries(make).map(([name, of]) => [name, () => ({ name, ...of() })]))
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

const ownerNamed = (kind: string) =>
  function* (object: Readonly<KubeObject>): Iterable<Request> {
    const owner = controllerOf(object)
    if (owner?.kind === kind) yield { namespace: object.metadata.namespace ?? '', name: owner.name }
  }

function* serviceNamed({ metadata: { namespace = '', labels } }: Readonly<KubeObject>): Iterable<Request> {
  const name = labels?.[SERVICE_NAME]
  if (name !== undefined) yield { namespace, name }
}

/** Requests for objects when they are gone. */
function gone<T extends KubeObject>(collection: Collection<T>): Source {
  return (enqueue) =>
    collection.onChange(({ object, previous }) => {
      if (!object && previous) enqueue(requestOf(previous))
    })
}

/** Whoever writes its own status on each pass must not be called again for that. */
function whenSpecChanges<T extends KubeObject>(collection: Collection<T>): Source {
  return (enqueue) =>
    collection.follow(({ object, previous }) => {
      const [before, after] = [previous?.['spec'], object?.['spec']]
      if (object && JSON.stringify(before) !== JSON.stringify(after)) enqueue(requestOf(object))
    })
}

/** The Services that select a pod, before or after its change. */
function servicesOf(pods: Collection<Pod>, services: Collection<Service>): Source {
  return related(pods, function* ({ metadata: { namespace = '', labels } }) {
    for (const service of services.inNamespace(namespace)) {
      if (selectorOfMap(service.spec.selector).matches(labels)) yield requestOf(service)
    }
  })
}

/** The Deployment of a pod that is gone or done: one that recreates waits for it. */
function goneBelow(pods: Collection<Pod>, sets: Stored<ReplicaOwner>): Source {
  return (enqueue) =>
    pods.onChange(({ object, previous }) => {
      const request = !object && previous && deploymentAbove(previous, sets)
      if (request) enqueue(request)
    })
}

/** All DaemonSets, when what they judge a node by has changed. */
function byNodes(nodes: Collection<Node>, owners: Collection<DaemonSet>): Source {
  return (enqueue) =>
    nodes.onChange(({ object, previous }) => {
      const judged = (node: Readonly<Node> | undefined): string =>
        JSON.stringify([node?.metadata.labels, node?.spec.taints])
      if (object && previous && judged(object) === judged(previous)) return
      for (const owner of owners.all()) enqueue(requestOf(owner))
    })
}
