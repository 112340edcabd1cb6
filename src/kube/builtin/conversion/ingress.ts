/** Ingress: the betas of networking.k8s.io and extensions from and to networking.k8s.io/v1. */
import { type KubeObject } from '../../../apimachinery/meta/types.js'
import { type IntOrString } from '../types.js'
import { type Reshape } from './index.js'

interface OldBackend {
  serviceName?: string
  servicePort?: IntOrString
  resource?: object
}

interface NewBackend {
  service?: { name: string; port: { name?: string; number?: number } }
  resource?: object
}

interface Spec<Backend> {
  backend?: Backend
  defaultBackend?: Backend
  rules?: { http?: { paths?: { backend: Backend }[] | null } }[]
}

function specOf<Backend>(object: KubeObject): Spec<Backend> {
  return object['spec'] ?? {}
}

function toNew({ serviceName, servicePort, resource }: OldBackend): NewBackend {
  const backend: NewBackend = resource ? { resource } : {}
  if (serviceName !== undefined) {
    const port =
      typeof servicePort === 'string' ? { name: servicePort } : servicePort ? { number: servicePort } : {}
    backend.service = { name: serviceName, port }
  }
  return backend
}

function toOld({ service, resource }: NewBackend): OldBackend {
  const backend: OldBackend = resource ? { resource } : {}
  if (service) {
    backend.serviceName = service.name
    backend.servicePort = service.port.name ?? service.port.number ?? 0
  }
  return backend
}

function eachPath<Backend>(spec: Spec<Backend>, change: (path: { backend: Backend }) => void): void {
  for (const { http } of spec.rules ?? []) for (const path of http?.paths ?? []) change(path)
}

export const ingressV1beta1: Reshape = {
  toStorage(object) {
    const spec = specOf<OldBackend & NewBackend>(object)
    if (spec.backend) spec.defaultBackend = toNew(spec.backend)
    delete spec.backend
    eachPath(spec, (path) => (path.backend = toNew(path.backend)))
  },
  fromStorage(object) {
    const spec = specOf<OldBackend & NewBackend>(object)
    if (spec.defaultBackend) spec.backend = toOld(spec.defaultBackend)
    delete spec.defaultBackend
    eachPath(spec, (path) => (path.backend = toOld(path.backend)))
  },
}
