/** Makes the providers that the configuration names. */
import { decodeProviderOptions } from '../../configuration/identityproviders.js'
import { type Logger } from '../../serving/log.js'
import { type IdentityProviderOptions } from '../options.js'
import { aliyunIDaaSProvider } from './aliyunidaas.js'
import { casProvider } from './cas.js'
import { githubProvider } from './github.js'
import { gitlabProvider } from './gitlab.js'
import { type ConfiguredProvider } from './index.js'
import { type IdentityProvider } from './interface.js'
import { ldapProvider } from './ldap.js'
import { oidcProvider } from './oidc.js'

type Written = Readonly<Record<string, unknown>>

const MAKERS: Readonly<Record<string, (provider: Written) => IdentityProvider>> = {
  LDAPIdentityProvider: (written) => ldapProvider(decodeProviderOptions('LDAPIdentityProvider', written)),
  OIDCIdentityProvider: (written) => oidcProvider(decodeProviderOptions('OIDCIdentityProvider', written)),
  GitHubIdentityProvider: (written) =>
    githubProvider(decodeProviderOptions('GitHubIdentityProvider', written)),
  GitlabIdentityProvider: (written) =>
    gitlabProvider(decodeProviderOptions('GitlabIdentityProvider', written)),
  AliyunIDaaSProvider: (written) =>
    aliyunIDaaSProvider(decodeProviderOptions('AliyunIDaaSProvider', written)),
  CASIdentityProvider: (written) => casProvider(decodeProviderOptions('CASIdentityProvider', written)),
}

/** One that cannot be made, for want of a file perhaps, is logged and left out; the others work. */
export function configuredProviders(
  options: readonly IdentityProviderOptions[],
  logger: Logger,
): ConfiguredProvider[] {
  return options.flatMap(({ name, type, mappingMethod, disableLoginConfirmation, provider: written }) => {
    try {
      const make = MAKERS[type]
      if (make === undefined) throw new Error(`type ${type} is not supported`)
      const provider = make(written)
      if (provider.kind === 'callback') provider.prepare?.()
      return [{ name, mappingMethod, disableLoginConfirmation, provider }]
    } catch (error) {
      logger.error({ provider: name, error }, 'identity provider cannot be used')
      return []
    }
  })
}
