/** Samples as Prometheus scrapes them. */

export type Labels = Readonly<Record<string, string>>

export class ExpositionText {
  readonly #lines: string[] = []

  add(name: string, labels: Labels, value: number): void {
    const text = Object.entries(labels)
      .filter(([, each]) => each !== '')
      .map(
        ([label, each]) =>
          `${label}="${each.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}"`,
      )
    this.#lines.push(`${name}{${text.join(',')}} ${value}`)
  }

  toString(): string {
    return this.#lines.map((line) => `${line}\n`).join('')
  }
}
