// Tells the code of a TypeScript or JavaScript file from its comments.

/** The lines that have code, and the lines that have a comment and no code. */
export function countLines(text) {
  const counts = { code: 0, comments: 0 }
  for (const line of marked(text).split('\n')) {
    if (/[^\s#]/.test(line)) counts.code += 1
    else if (line.includes('#')) counts.comments += 1
  }
  return counts
}

/** The text without its comments; every line stays where it is. */
export function withoutComments(text) {
  const marks = marked(text)
  return [...marks].map((mark, index) => (mark === '#' ? ' ' : text[index])).join('')
}

// In the order in which they are tried at each place. A slash begins a regular expression where no value can end.
const TOKENS = [
  ['comment', /\/\/.*|\/\*[\s\S]*?\*\//y],
  ['text', /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y],
  ['regex', /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/\w*/y],
  ['word', /[\w$]+/y],
]
const BEFORE_REGEX = /(?:^|[=([{,;:!?&|+\-*%<>~^}]|\b(?:return|typeof|case|in|of|do|else|void|delete|await|yield))\s*$/

/** The text with a # in the place of each character of a comment, an x for # and for all of strings. */
function marked(text) {
  let marks = ''
  let index = 0
  const nesting = [] // the braces that are open in each ${} of templates
  while (index < text.length) {
    const [kind, token] = tokenAt(text, index, marks)
    if (kind === 'sign' && token === '`') {
      marks += template()
      continue
    }
    if (nesting.length > 0 && kind === 'sign') {
      if (token === '{') nesting[nesting.length - 1] += 1
      if (token === '}' && nesting[nesting.length - 1]-- === 0) {
        nesting.pop()
        marks += template()
        continue
      }
    }
    marks +=
      kind === 'comment'
        ? fill(token, '#')
        : kind === 'sign' || kind === 'word'
          ? token.replace('#', 'x')
          : fill(token, 'x')
    index += token.length
  }
  return marks

  /** From a backtick, or the brace that ends a ${}, to the next ${ or backtick. */
  function template() {
    const part = /[`}](?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y
    part.lastIndex = index
    const [token] = part.exec(text) ?? [text.slice(index)]
    if (token.endsWith('${')) nesting.push(0)
    index += token.length
    return fill(token, 'x')
  }
}

function tokenAt(text, index, marks) {
  for (const [kind, pattern] of TOKENS) {
    if (kind === 'regex' && !BEFORE_REGEX.test(marks.slice(-40).replace(/#/g, ' '))) continue
    pattern.lastIndex = index
    const token = pattern.exec(text)?.[0]
    if (token) return [kind, token]
  }
  return ['sign', text[index]]
}

function fill(text, mark) {
  return text.replace(/[^\n]/g, mark)
}
