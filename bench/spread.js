/** The median of some values, with the least and the greatest. */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2
  return { median, min: sorted[0], max: sorted.at(-1) }
}

export function thousands({ median, min, max }) {
  const k = value => (value / 1000).toFixed(1)
  return `${k(median)} k (${k(min)}-${k(max)})`
}

export function percent({ median }) {
  return `${Math.round(median * 100)} %`
}

/** The median alone, with so many digits behind the point. */
export function count(digits) {
  return ({ median }) => median.toFixed(digits)
}

/** The median with the least and the greatest. */
export function range(digits) {
  return ({ median, min, max }) => `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`
}
