/** config.kubesphere.io/v1alpha2: the parts of the configuration that the login page and the console need. */
import { type IdentityProviders } from '../../authentication/identityproviders/index.js'
import { type Options } from '../../configuration/options.js'
import { type ApiGroup, route } from '../../serving/route.js'
import { configz } from './configz.js'
import { visibleOAuthOptions } from './oauth.js'

export interface ConfigDeps {
  options: Options
  /** Shows the pages of log lines, Events and audit events. Default: where a host is configured for them. */
  keepsRecords?: boolean | undefined
  /** Default: providers are shown as they are written. */
  identityProviders?: IdentityProviders
}

export function configGroup({ options, keepsRecords, identityProviders }: ConfigDeps): ApiGroup {
  return {
    root: '/kapis/config.kubesphere.io/v1alpha2',
    title: 'Configuration visible to clients',
    errors: 'text',
    routes: [
      route({
        method: 'GET',
        path: '/configs/oauth',
        summary: 'OAuth options without secrets; durations in nanoseconds.',
        access: 'public',
        handle: () =>
          visibleOAuthOptions(
            options.authentication.oauthOptions,
            (name) => identityProviders?.published(name) ?? {},
          ),
      }),
      route({
        method: 'GET',
        path: '/configs/configz',
        summary: 'Which optional parts are configured.',
        access: 'public',
        handle: () => configz(options, keepsRecords),
      }),
      route({
        method: 'GET',
        path: '/configs/gpu/kinds',
        summary: 'Kinds of GPU that quotas can name.',
        access: 'public',
        handle: () =>
          options.gpu.kinds.map(({ resourceName, resourceType, default: preset }) => ({
            ...(resourceName !== '' && { resourceName }),
            ...(resourceType !== '' && { resourceType }),
            ...(preset && { default: preset }),
          })),
      }),
    ],
  }
}
