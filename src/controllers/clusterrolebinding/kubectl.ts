/**
 * The pod in which an administrator's web terminal runs kubectl.
 *
 * It acts as its user and as nobody else: it holds the kubeconfig of that user and no service account. The original
 * ran the pods of all administrators under one account, and mounted a file of the node.
 */
import { type KubeObject, type OwnerReference } from '../../apimachinery/meta/types.js'
import { KUBECONFIG_KEY, kubeconfigName } from '../../tenancy/kubeconfigs.js'
import { CONTROLS_NAMESPACE, USERNAME } from '../../tenancy/names.js'

export const kubectlName = (user: string): string => `kubectl-${user}`

const FOLDER = '/etc/kubeconfig'

export function kubectlDeployment(user: string, image: string, owner: OwnerReference): KubeObject {
  const labels = { [USERNAME]: user }
  return {
    metadata: { name: kubectlName(user), namespace: CONTROLS_NAMESPACE, ownerReferences: [owner] },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          containers: [
            {
              name: 'kubectl',
              image,
              imagePullPolicy: 'IfNotPresent',
              env: [{ name: 'KUBECONFIG', value: `${FOLDER}/${KUBECONFIG_KEY}` }],
              volumeMounts: [{ name: 'kubeconfig', mountPath: FOLDER, readOnly: true }],
            },
          ],
          volumes: [
            {
              name: 'kubeconfig',
              secret: {
                secretName: kubeconfigName(user),
                items: [{ key: KUBECONFIG_KEY, path: KUBECONFIG_KEY }],
              },
            },
          ],
        },
      },
    },
  }
}
