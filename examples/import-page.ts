// The page of import.ts. The job that it watches is in its own URL, so that it is found again after a reload.
export const page = /* html */ `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Import cities</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --line: light-dark(#ddd, #444); --accent: light-dark(#0b57d0, #8ab4f8) }
  body { font: 1rem/1.6 system-ui; max-width: 40rem; margin: 2.5rem auto; padding: 0 1rem }
  form, section { border: 1px solid var(--line); border-radius: .8rem; padding: 1.2rem 1.4rem; margin: 1.2rem 0 }
  label { display: block; font-weight: 600; margin-bottom: .4rem }
  input, button { font: inherit }
  input { max-width: 100% }
  .row { display: flex; flex-wrap: wrap; gap: .8rem; align-items: center; justify-content: space-between }
  button { padding: .35rem 1.2rem; border: 1px solid var(--line); border-radius: .4rem; cursor: pointer }
  button.main { background: var(--accent); border-color: var(--accent); color: light-dark(#fff, #111) }
  button:disabled { opacity: .4; cursor: default }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
  progress { width: 100%; height: 1.1rem; accent-color: var(--accent) }
  #figures { font-variant-numeric: tabular-nums; min-height: 1.6em; margin: .3rem 0 }
  [role=status] { font-weight: 600; margin: 0; min-height: 1.6em; overflow-wrap: anywhere }
  a { color: var(--accent) }
</style>
<h1>Import cities</h1>
<p>A CSV file with the columns id, name, country, population, longitude and latitude, such as
  <a href="/cities.csv" download="cities.csv">these 135,233 cities</a>.</p>
<form>
  <label for="file">File</label>
  <div class="row">
    <input id="file" type="file" accept=".csv,text/csv" required>
    <button class="main" id="import">Import</button>
  </div>
</form>
<section aria-labelledby="title">
  <h2 id="title" hidden>Progress</h2>
  <p role="status" id="status">No file has been chosen yet.</p>
  <progress id="bar" aria-label="Progress of the import" value="0" hidden></progress>
  <div class="row">
    <p id="figures"></p>
    <button id="cancel" type="button" hidden>Cancel</button>
  </div>
  <p id="result" hidden>They are <a id="cities">a collection</a> to page, sort and search.</p>
</section>
<script type="module">
  const find = selector => document.querySelector(selector)
  const number = new Intl.NumberFormat('en')
  let events

  find('form').addEventListener('submit', async event => {
    event.preventDefault()
    const [file] = find('#file').files
    clear('Uploading ' + file.name + '.')
    find('#import').disabled = true
    const headers = { 'Content-Type': 'text/csv' }
    const answer = await fetch('/imports', { method: 'POST', headers, body: file }).catch(() => undefined)
    if (answer?.status === 202) location.hash = answer.headers.get('Location')
    else end(await reasonOf(answer))
  })
  find('#cancel').addEventListener('click', async () => {
    find('#cancel').disabled = true
    const answer = await fetch(jobHere(), { method: 'DELETE' }).catch(() => undefined)
    // What comes of it, the events tell.
    if (!answer?.ok) find('#cancel').disabled = false
  })
  addEventListener('hashchange', watch)
  watch()

  function jobHere() {
    return /^#(\\/jobs\\/[\\w-]+)$/.exec(location.hash)?.[1]
  }

  function watch() {
    events?.close()
    if (!jobHere()) return
    clear('Waiting for its turn.')
    find('#import').disabled = true
    events = new EventSource(jobHere())
    events.onmessage = ({ data }) => show(JSON.parse(data))
    events.onerror = ({ target }) => {
      // It tries again by itself, unless the answer was none that it could.
      if (target.readyState === EventSource.CLOSED) end('There is no such import any more.')
      else say('The server does not answer. Trying again.')
    }
  }

  async function show({ state, progress, _links }) {
    if (progress) find('#bar').value = progress.done / progress.total
    find('#figures').textContent = progress?.message ?? ''
    find('#cancel').hidden = !_links.cancel
    if (_links.cancel) return say(state === 'running' ? 'Importing.' : 'Waiting for its turn.')
    events.close()
    if (state === 'cancelled') return end('Cancelled. Nothing of it was kept.')
    const answer = await fetch(_links.result?.href ?? jobHere()).catch(() => undefined)
    if (!answer?.ok) return end(await reasonOf(answer))
    const done = await answer.json()
    end(number.format(done.count) + ' cities were imported.')
    find('#cities').href = done._links.cities
    find('#result').hidden = false
  }

  function say(text) {
    // Said again, it would be read out again.
    if (find('#status').textContent !== text) find('#status').textContent = text
  }

  function clear(text) {
    say(text)
    find('#bar').removeAttribute('value')
    find('#bar').hidden = false
    find('#figures').textContent = ''
    find('#result').hidden = true
    find('#cancel').hidden = true
    find('#cancel').disabled = false
  }

  function end(text) {
    say(text)
    if (!find('#bar').hasAttribute('value')) find('#bar').hidden = true
    find('#cancel').hidden = true
    find('#import').disabled = false
  }

  async function reasonOf(answer) {
    const { detail } = (await answer?.json().catch(() => undefined)) ?? {}
    return detail ?? 'The server does not answer. Try again.'
  }
</script>
</html>
`
