/**
 * Where an answer of the embedded API differs from the recorded sequence on purpose, and why ours is better.
 * Keyed by the id of the entry.
 */
const BYTES = 'the original quotes the bytes around the fault; ours names the field, which is what helps'

export const MEANT_SEQUENCE: Readonly<Record<string, string>> = {
  'kube-145': BYTES,
  'kube-146': BYTES,
  'kube-161': BYTES,
  'kube-209': 'an unknown field in an applied object is the fault of the client: 400, not 500',
  'kube-229': 'a resourceVersion that is no number is the fault of the client: 400, not 500',
}
