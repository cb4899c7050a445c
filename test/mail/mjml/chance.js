// A menu or a carousel takes ids by chance, which would make each compilation of
// one template another. restart() makes chance the same from here on.
let state = 1

export const restart = () => {
  state = 1
}

Math.random = () => {
  state = (Math.imul(state, 48271) >>> 0) % 2147483647 || 1
  return state / 2147483647
}
