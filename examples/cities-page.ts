// The page of cities.ts. What it asks of /cities is its own query string, and it goes where the Link header leads.
export const page = /* html */ `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Cities</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --line: light-dark(#ddd, #444); --accent: light-dark(#0b57d0, #8ab4f8) }
  body { font: 1rem/1.6 system-ui; max-width: 56rem; margin: 2.5rem auto; padding: 0 1rem }
  form, nav { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: 1rem 0 }
  input, button { font: inherit; padding: .3rem .8rem; border: 1px solid var(--line); border-radius: .4rem }
  input { flex: 1 1 14rem }
  button:disabled { opacity: .4 }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
  .scroll { overflow-x: auto }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: start; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); white-space: nowrap }
  th button { border: 0; background: none; padding: 0; font-weight: 600; cursor: pointer; color: inherit }
  [aria-sort=ascending] button::after { content: ' \\2191' }
  [aria-sort=descending] button::after { content: ' \\2193' }
  caption { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden }
  .number { text-align: end; font-variant-numeric: tabular-nums }
  a { color: var(--accent) }
  code { overflow-wrap: anywhere }
</style>
<h1>Cities</h1>
<form role="search">
  <label for="q">Name</label>
  <input id="q" name="q" type="search" maxlength="256" autocomplete="off">
  <button>Search</button>
</form>
<p role="status" id="status">Loading.</p>
<div class="scroll" role="region" aria-labelledby="caption" tabindex="0">
  <table>
    <caption id="caption">Cities with their country, population and place</caption>
    <thead><tr>
      <th scope="col"><button data-field="name">Name</button></th>
      <th scope="col"><button data-field="country_code">Country</button></th>
      <th scope="col" class="number"><button data-field="population">Population</button></th>
      <th scope="col" class="number"><button data-field="latitude">Latitude</button></th>
      <th scope="col" class="number"><button data-field="longitude">Longitude</button></th>
    </tr></thead>
    <tbody></tbody>
  </table>
</div>
<nav aria-label="Pages">
  <button data-rel="first">First</button>
  <button data-rel="prev">Previous</button>
  <button data-rel="next">Next</button>
  <button data-rel="last">Last</button>
</nav>
<p>This is <a id="self"><code></code></a>, also as <a id="csv">CSV</a>.</p>
<script type="module">
  const find = selector => document.querySelector(selector)
  const all = selector => [...document.querySelectorAll(selector)]
  const number = new Intl.NumberFormat('en')
  let links = {}
  let latest = 0

  async function show() {
    const query = new URLSearchParams(location.search)
    query.delete('fields') // The table has those that it has.
    query.set('expand', 'country')
    const url = '/cities?' + query
    const turn = ++latest
    const answer = await fetch(url, { headers: { Accept: 'application/json' } }).catch(() => undefined)
    const body = await answer?.json().catch(() => undefined)
    if (turn !== latest) return // A later one is on its way, or has come.
    links = answer?.ok ? linksOf(answer.headers.get('Link')) : {}
    if (answer?.ok) fill(body.items)
    const total = answer?.headers.get('X-Total-Count')
    const { page, pages } = body?.meta ?? {}
    find('#status').textContent = !answer?.ok
      ? body?.errors?.[0]?.detail ?? body?.detail ?? 'The server does not answer.'
      : number.format(total) + ' cities, page ' + number.format(page) + ' of ' + number.format(Math.max(1, pages))
    find('#q').value = query.get('q') ?? ''
    for (const button of all('nav button')) button.disabled = !(button.dataset.rel in links) || isHere(links[button.dataset.rel])
    for (const button of all('th button')) button.parentElement.ariaSort = directionOf(button.dataset.field)
    find('#self').href = url
    find('#self code').textContent = decodeURIComponent(url.replaceAll('+', ' '))
    find('#csv').href = url.replace('/cities', '/cities.csv')
  }

  function fill(cities) {
    find('tbody').replaceChildren(...cities.map(city => {
      const row = document.createElement('tr')
      const about = Object.assign(document.createElement('a'), { href: city._links.about, textContent: city.name })
      const name = city.capital ? [about, ' (capital)'] : [about]
      const country = [city.country?.name ?? city.country_code ?? '']
      const numbers = [number.format(city.population), city.latitude.toFixed(2), city.longitude.toFixed(2)]
      row.append(cell(name), cell(country), ...numbers.map(it => cell([it], 'number')))
      return row
    }))
  }

  function cell(content, className = '') {
    const cell = Object.assign(document.createElement('td'), { className })
    cell.append(...content)
    return cell
  }

  function linksOf(header) {
    return Object.fromEntries([...(header ?? '').matchAll(/<([^>]*)>; rel="(\\w+)"/g)].map(([, url, rel]) => [rel, url]))
  }

  const pageOf = url => new URL(url, location).searchParams.get('page') ?? '1'
  const isHere = url => pageOf(url) === pageOf(location)

  function directionOf(field) {
    const [first] = (new URLSearchParams(location.search).get('sort') ?? '-population').split(',')
    if (first.replace('-', '') !== field) return 'none'
    return first.startsWith('-') ? 'descending' : 'ascending'
  }

  /** Changes the query of this page, and shows what it says then. */
  function go(query) {
    query.delete('expand')
    history.pushState(null, '', '?' + query)
    return show()
  }

  find('form').addEventListener('submit', event => {
    event.preventDefault()
    const query = new URLSearchParams(location.search)
    query.delete('page')
    query.delete('q')
    if (find('#q').value) query.set('q', find('#q').value)
    go(query)
  })
  for (const button of all('th button'))
    button.addEventListener('click', () => {
      const { field } = button.dataset
      const query = new URLSearchParams(location.search)
      query.delete('page')
      query.set('sort', (directionOf(field) === 'ascending' ? '-' : '') + field)
      go(query)
    })
  for (const button of all('nav button'))
    button.addEventListener('click', () => go(new URL(links[button.dataset.rel]).searchParams))
  addEventListener('popstate', show)
  show()
</script>
</html>
`
