/** DefaultIngressClass: an Ingress that names no class gets the default one. */
import { type KubeObject } from '../../apimachinery/meta/types.js'
import { type Objects } from '../objects.js'
import { type AdmissionPlugin } from '../registry/strategy.js'
import { refusal } from './refusal.js'

interface Ingress extends KubeObject {
  spec?: { ingressClassName?: string }
}

const DEFAULT = 'ingressclass.kubernetes.io/is-default-class'
/** The older way to say it. */
const ANNOTATION = 'kubernetes.io/ingress.class'

export function defaultIngressClass(objects: Objects): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    admit(request) {
      const { definition, subresource, operation, object } = request
      if (operation !== 'CREATE' || definition.resource !== 'ingresses' || subresource !== '' || !object)
        return
      if (definition.group !== 'networking.k8s.io' && definition.group !== 'extensions') return
      const ingress = object as Ingress
      const named = ingress.spec?.ingressClassName ?? ingress.metadata.annotations?.[ANNOTATION]
      if (named !== undefined) return
      const classes = objects
        .list('networking.k8s.io', 'ingressclasses')
        .filter(({ metadata }) => metadata.annotations?.[DEFAULT] === 'true')
      if (classes.length > 1) {
        throw refusal(request, `${classes.length} default IngressClasses were found, only 1 allowed`)
      }
      const name = classes[0]?.metadata.name
      if (name !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: name }
    },
  }
}
