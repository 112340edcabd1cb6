/** What authentication reads of the configuration; the names are those of `kubesphere.yaml`. Durations are milliseconds. */

export interface OAuthClientOptions {
  name: string
  secret: string
  redirectURIs: readonly string[]
}

export interface IdentityProviderOptions {
  name: string
  type: string
  mappingMethod: string
  disableLoginConfirmation: boolean
  /** As written; each type reads its own. */
  provider: Readonly<Record<string, unknown>>
}

export interface OAuthServerOptions {
  issuer: string
  /** PEM file with the RSA key that signs id tokens. */
  signKey: string
  /** The same as base64 of the PEM text. */
  signKeyData: string
  clients: readonly OAuthClientOptions[]
  /** Default: none. */
  identityProviders?: readonly IdentityProviderOptions[]
  /** 0: access tokens never expire, and tokens are not looked up in the store. */
  accessTokenMaxAge: number
  accessTokenInactivityTimeout: number
}

export interface AuthenticationOptions {
  jwtSecret: string
  maximumClockSkew: number
  /** Failed logins within the duration that lock an account, and for how long. */
  authenticateRateLimiterMaxTries: number
  authenticateRateLimiterDuration: number
  /** False: a new session ends all older ones of the same user. */
  multipleLogin: boolean
  oauthOptions: OAuthServerOptions
}
