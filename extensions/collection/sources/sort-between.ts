/** Below so many, to insert one after the other is quickest. */
const FEW = 12

/**
 * Sorts as far as is asked for: what belongs to the places from `from` to `to` stands there in order, what is less stands
 * before it and what is more behind, in no order of its own. So a page costs about what it takes to go through the rows,
 * however deep in them it lies.
 *
 * It is a quicksort that leaves alone what nobody asks for. Its pivots are random, so that no list is a bad one.
 */
export function sortBetween<T>(all: T[], from: number, to: number, compare: (one: T, other: T) => number): void {
  function sort(start: number, end: number): void {
    if (end <= from || start >= to) return
    if (end - start <= FEW) return insert(start, end)
    const middle = divide(start, end)
    sort(start, middle)
    sort(middle, end)
  }

  /** Puts what is less than one of them before what is more. @returns where the others begin: there are some of both */
  function divide(start: number, end: number): number {
    const at = start + Math.floor(Math.random() * (end - start))
    const pivot = all[at] as T
    all[at] = all[start] as T
    all[start] = pivot
    let left = start - 1
    let right = end
    for (;;) {
      do left += 1
      while (compare(all[left] as T, pivot) < 0)
      do right -= 1
      while (compare(all[right] as T, pivot) > 0)
      if (left >= right) return right + 1
      const other = all[left] as T
      all[left] = all[right] as T
      all[right] = other
    }
  }

  function insert(start: number, end: number): void {
    for (let index = start + 1; index < end; index += 1) {
      const one = all[index] as T
      let at = index
      for (; at > start && compare(all[at - 1] as T, one) > 0; at -= 1) all[at] = all[at - 1] as T
      all[at] = one
    }
  }

  sort(0, all.length)
}
