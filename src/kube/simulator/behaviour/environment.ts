/** The environment and files of a container, as far as the API knows them. */
import { type Container, type EnvVar, type Pod, type StringMap } from '../../builtin/types.js'
import { type Objects } from '../../objects.js'
import { type Base } from '../files/files.js'

export interface Environment {
  env: StringMap
  base: Base
  /** Where commands begin. */
  directory: string
  /** Why the container cannot be made: what it names and nobody has. */
  missing?: string
}

interface Configuration {
  metadata: object
  data?: StringMap
  binaryData?: StringMap
}

const MACHINE_FILES = (pod: Readonly<Pod>): StringMap => ({
  '/etc/hostname': `${pod.spec.hostname ?? pod.metadata.name ?? ''}\n`,
  '/etc/hosts': `127.0.0.1\tlocalhost\n${pod.status.podIP ?? ''}\t${pod.metadata.name ?? ''}\n`,
  '/etc/resolv.conf': `nameserver 10.96.0.10\nsearch ${pod.metadata.namespace ?? ''}.svc.cluster.local svc.cluster.local cluster.local\n`,
  '/etc/os-release': 'NAME="Simulated"\nID=simulated\n',
})

export function environmentOf(
  objects: Objects,
  pod: Readonly<Pod>,
  container: Readonly<Container>,
): Environment {
  const missing: string[] = []
  const lookUp = (kind: 'configmap' | 'secret', name: string, optional: boolean): StringMap | undefined => {
    const found = objects.get<Configuration>('', `${kind}s`, pod.metadata.namespace ?? '', name)
    if (!found && !optional) missing.push(`${kind} ${JSON.stringify(name)} not found`)
    return found && decoded(found, kind)
  }
  const env: StringMap = { PATH: '/usr/local/bin:/usr/bin:/bin', HOSTNAME: pod.metadata.name ?? '' }
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const reference = (configMapRef ?? secretRef) as { name?: string; optional?: boolean } | undefined
    const kind = configMapRef ? 'configmap' : 'secret'
    const data = reference && lookUp(kind, reference.name ?? '', reference.optional === true)
    for (const [key, value] of Object.entries(data ?? {})) env[`${prefix}${key}`] = value
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(pod, variable, env, lookUp, missing)
    if (value !== undefined) env[variable.name] = value
  }
  const [first] = missing
  return {
    env,
    base: baseOf(objects, pod, container),
    directory: container.workingDir ?? '/',
    ...(first !== undefined && { missing: first }),
  }
}

function decoded({ data = {} }: Configuration, kind: string): StringMap {
  if (kind === 'configmap') return data
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  )
}

function valueOf(
  pod: Readonly<Pod>,
  { value, valueFrom }: EnvVar,
  env: StringMap,
  lookUp: (kind: 'configmap' | 'secret', name: string, optional: boolean) => StringMap | undefined,
  missing: string[],
): string | undefined {
  if (!valueFrom) return (value ?? '').replace(/\$\((\w+)\)/g, (all, name: string) => env[name] ?? all)
  const { fieldRef, configMapKeyRef, secretKeyRef, resourceFieldRef } = valueFrom
  if (fieldRef) return fieldOf(pod, fieldRef.fieldPath)
  if (resourceFieldRef) return '0'
  const reference = (configMapKeyRef ?? secretKeyRef) as
    { name?: string; key: string; optional?: boolean } | undefined
  if (!reference) return undefined
  const kind = configMapKeyRef ? 'configmap' : 'secret'
  const optional = reference.optional === true
  const data = lookUp(kind, reference.name ?? '', optional)
  const found = data?.[reference.key]
  if (data && found === undefined && !optional) {
    const place = `${kind === 'configmap' ? 'ConfigMap' : 'Secret'} ${pod.metadata.namespace ?? ''}/${reference.name ?? ''}`
    missing.push(`couldn't find key ${reference.key} in ${place}`)
  }
  return found
}

/** `metadata.labels['app']`, `status.podIP`, ... */
export function fieldOf(pod: Readonly<Pod>, path: string): string {
  const keyed = /^(metadata\.(?:labels|annotations))\['(.+)'\]$/.exec(path)
  let at: unknown = pod
  for (const part of (keyed?.[1] ?? path).split('.')) at = (at as Record<string, unknown> | undefined)?.[part]
  if (keyed) at = (at as StringMap | undefined)?.[keyed[2] ?? '']
  return typeof at === 'string' ? at : ''
}

/** Mounted ConfigMaps and Secrets can be read; other volumes are empty. */
function baseOf(objects: Objects, pod: Readonly<Pod>, container: Readonly<Container>): Base {
  const files = MACHINE_FILES(pod)
  const readOnly: string[] = []
  const directories: string[] = []
  const { namespace = '' } = pod.metadata
  for (const { name, mountPath, subPath } of container.volumeMounts ?? []) {
    const volume = pod.spec.volumes?.find((each) => each.name === name)
    const { configMap, secret } = volume ?? {}
    const source = configMap?.name ?? secret?.secretName
    const at = mountPath.replace(/\/+$/, '')
    if (subPath === undefined) directories.push(at)
    if (source === undefined) continue
    readOnly.push(at)
    const kind = configMap ? 'configmap' : 'secret'
    const found = objects.get<Configuration>('', `${kind}s`, namespace, source)
    const items = (configMap ?? secret)?.items
    for (const [key, content] of Object.entries(found ? decoded(found, kind) : {})) {
      const path = items ? items.find((item) => item.key === key)?.path : key
      if (path === undefined) continue
      if (subPath === undefined) files[`${at}/${path}`] = content
      else if (subPath === path) files[at] = content
    }
  }
  return { files, readOnly, directories }
}

/** Volumes that cannot be mounted because what they hold is not there. @returns why, or undefined */
export function missingVolume(objects: Objects, pod: Readonly<Pod>): string | undefined {
  const { namespace = '' } = pod.metadata
  for (const { name, configMap, secret } of pod.spec.volumes ?? []) {
    const optional = (configMap ?? secret) as { optional?: boolean } | undefined
    if (optional?.optional) continue
    const [kind, source] = configMap ? ['configmap', configMap.name] : ['secret', secret?.secretName]
    if (source === undefined || objects.get('', `${kind}s`, namespace, source)) continue
    return `MountVolume.SetUp failed for volume ${JSON.stringify(name)} : ${kind} ${JSON.stringify(source)} not found`
  }
  return undefined
}
