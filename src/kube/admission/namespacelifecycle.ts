/**
 * NamespaceLifecycle: objects need a namespace that is there and stays, and three namespaces may not go.
 */
import { forbidden, notFound, StatusError } from '../../apimachinery/errors/index.js'
import { type Objects } from '../objects.js'
import { type AdmissionPlugin, type ResourceDefinition } from '../registry/strategy.js'

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public'])
/** Creating these tells about permissions, it makes nothing in the namespace. */
const ALWAYS = new Set(['localsubjectaccessreviews'])

const isNamespaces = ({ group, resource }: ResourceDefinition): boolean =>
  group === '' && resource === 'namespaces'

export function namespaceLifecycle(objects: Objects): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    validate({ operation, definition, name, subresource }) {
      if (operation !== 'DELETE' || subresource !== '' || !isNamespaces(definition)) return
      if (IMMORTAL.has(name)) throw forbidden(definition, name, 'this namespace may not be deleted')
    },
    admit({ operation, definition, namespace, name }) {
      if (operation !== 'CREATE' || !definition.namespaced || isNamespaces(definition)) return
      if (ALWAYS.has(definition.resource)) return
      const owner = objects.shared('', 'namespaces', '', namespace)
      if (!owner) throw notFound({ group: '', resource: 'namespaces' }, namespace)
      const { phase } = (owner.status ?? {}) as { phase?: string }
      if (phase !== 'Terminating') return
      const error = forbidden(
        definition,
        name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      )
      throw new StatusError({
        code: error.code,
        reason: error.reason,
        message: error.message,
        details: {
          ...error.details,
          causes: [
            {
              reason: 'NamespaceTerminating',
              message: `namespace ${namespace} is being terminated`,
              field: 'metadata.namespace',
            },
          ],
        },
      })
    },
  }
}
