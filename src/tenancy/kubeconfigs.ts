/** Where the kubeconfig of a user is kept. */

/** Of the config map and of the secret, both in the namespace of controls. */
export const kubeconfigName = (user: string): string => `kubeconfig-${user}`

/** Of the file, in the config map and in the secret. */
export const KUBECONFIG_KEY = 'config'
