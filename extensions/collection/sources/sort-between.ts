/** Below so many, to insert one after the other is quickest. */
const FEW = 12

/** How two stand to each other, each by what is compared first of it and by itself. */
export type Compare<K, T> = (key: K, one: T, otherKey: K, other: T) => number

/**
 * Sorts as far as is asked for: what belongs to the places from `from` to `to` stands there in order, what is less stands
 * before it and what is more behind, in no order of its own. So a page costs about what it takes to go through the rows,
 * however deep in them it lies. What is compared first is in a list of its own that is moved alike: to make an object of
 * each pair takes as long as to sort them.
 *
 * It is a quicksort that leaves alone what nobody asks for. Its pivots are random, so that no list is a bad one.
 */
export function sortBetween<K, T>(keys: K[], all: T[], from: number, to: number, compare: Compare<K, T>): void {
  function sort(start: number, end: number): void {
    if (end <= from || start >= to) return
    if (end - start <= FEW) return insert(start, end)
    const middle = divide(start, end)
    sort(start, middle)
    sort(middle, end)
  }

  /** Puts what is less than one of them before what is more. @returns where the others begin: there are some of both */
  function divide(start: number, end: number): number {
    swap(start, start + Math.floor(Math.random() * (end - start)))
    const key = keys[start] as K
    const pivot = all[start] as T
    let left = start - 1
    let right = end
    for (;;) {
      do left += 1
      while (compare(keys[left] as K, all[left] as T, key, pivot) < 0)
      do right -= 1
      while (compare(keys[right] as K, all[right] as T, key, pivot) > 0)
      if (left >= right) return right + 1
      swap(left, right)
    }
  }

  function swap(one: number, other: number): void {
    const key = keys[one] as K
    const it = all[one] as T
    keys[one] = keys[other] as K
    all[one] = all[other] as T
    keys[other] = key
    all[other] = it
  }

  function insert(start: number, end: number): void {
    for (let index = start + 1; index < end; index += 1) {
      const key = keys[index] as K
      const it = all[index] as T
      let at = index
      for (; at > start && compare(keys[at - 1] as K, all[at - 1] as T, key, it) > 0; at -= 1) {
        keys[at] = keys[at - 1] as K
        all[at] = all[at - 1] as T
      }
      keys[at] = key
      all[at] = it
    }
  }

  /** Most lists are asked for in the order in which they are kept. */
  function isInOrder(): boolean {
    for (let index = 1; index < all.length; index += 1)
      if (compare(keys[index - 1] as K, all[index - 1] as T, keys[index] as K, all[index] as T) > 0) return false
    return true
  }

  if (!isInOrder()) sort(0, all.length)
}
