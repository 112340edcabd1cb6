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
  'kube-212': 'one fault is one cause; the original names it twice',
  'kube-227': 'limit and order hold for resourceVersion=0 too; the original lists its cache as it lies',
  'kube-229': 'a resourceVersion that is no number is the fault of the client: 400, not 500',
  'kube-249': 'the finalizer that lingers was put there by a controller of the platform',
}
