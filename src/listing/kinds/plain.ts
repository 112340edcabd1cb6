/** Kinds with the common filters only. */
import { kind, type AnyKind } from '../kind.js'

function plain(
  group: string,
  versions: readonly string[],
  resource: string,
  singular: string,
  namespaced: boolean,
): AnyKind {
  return kind({ group, versions, resource, singular, namespaced })
}

const IAM = 'iam.kubesphere.io'
const TENANT = 'tenant.kubesphere.io'

export const plainKinds: AnyKind[] = [
  plain('', ['v1'], 'services', 'service', true),
  plain('', ['v1'], 'configmaps', 'configmap', true),
  plain('', ['v1'], 'serviceaccounts', 'serviceaccount', true),
  plain('networking.k8s.io', ['v1'], 'networkpolicies', 'networkpolicy.networking.k8s.io', true),
  plain('networking.k8s.io', ['v1'], 'ingresses', 'ingress.networking.k8s.io', true),
  plain('monitoring.kubesphere.io', ['v1alpha2'], 'dashboards', 'Dashboard.monitoring.kubesphere.io', true),
  plain(
    'monitoring.kubesphere.io',
    ['v1alpha2'],
    'clusterdashboards',
    'ClusterDashboard.monitoring.kubesphere.io',
    false,
  ),
  plain(TENANT, ['v1alpha1'], 'workspaces', 'workspace.tenant.kubesphere.io', false),
  plain(TENANT, ['v1alpha2'], 'workspacetemplates', 'workspacetemplate.tenant.kubesphere.io', false),
  plain('devops.kubesphere.io', ['v1alpha3'], 'devopsprojects', 'devopsproject.devops.kubesphere.io', false),
  plain(IAM, ['v1alpha2'], 'groups', 'group.iam.kubesphere.io', false),
]

/** Notification objects: only `name` and `names` filter, any other key passes. */
export const notificationKinds: AnyKind[] = [
  ['configs', 'config', ['v2beta2', 'v2beta1']],
  ['receivers', 'receiver', ['v2beta2', 'v2beta1']],
  ['notificationmanagers', 'notificationmanager', ['v2beta2']],
  ['routers', 'router', ['v2beta2']],
  ['silences', 'silence', ['v2beta2']],
].map(([resource, singular, versions]) =>
  kind({
    group: 'notification.kubesphere.io',
    versions: versions as string[],
    resource: resource as string,
    singular: `${singular as string}.notification.kubesphere.io`,
    namespaced: false,
    unknownFiltersPass: true,
    // Clients of the original always find a status.
    decorate(object) {
      object['status'] ??= {}
    },
  }),
)
