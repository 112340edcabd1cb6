/** What first data consists of. */
import { type GroupVersionResource } from '../apimachinery/meta/types.js'

const iam = (resource: string): GroupVersionResource => ({
  group: 'iam.kubesphere.io',
  version: 'v1alpha2',
  resource,
})

export const COLLECTIONS = {
  customresourcedefinitions: {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    resource: 'customresourcedefinitions',
  },
  namespaces: { group: '', version: 'v1', resource: 'namespaces' },
  globalroles: iam('globalroles'),
  globalrolebindings: iam('globalrolebindings'),
  workspaceroles: iam('workspaceroles'),
  rolebases: iam('rolebases'),
  users: iam('users'),
  clusterroles: { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterroles' },
  workspacetemplates: { group: 'tenant.kubesphere.io', version: 'v1alpha2', resource: 'workspacetemplates' },
  workspaces: { group: 'tenant.kubesphere.io', version: 'v1alpha1', resource: 'workspaces' },
} as const satisfies Record<string, GroupVersionResource>

export type Collection = keyof typeof COLLECTIONS
