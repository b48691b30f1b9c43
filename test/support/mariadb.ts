import test, { type ExecutionContext } from 'ava'
import mysql from 'mysql2/promise'

/** Where the tests look for MariaDB or MySQL; a user who may make databases. */
const SERVER = process.env.KOLBA_MARIADB ?? 'mysql://root@127.0.0.1:3306/test'

const reason = await unreachable()

/**
 * A test with a database of its own, which its URL leads to. It runs by itself: the server hangs up on who takes more than
 * ten seconds over the first words, as a test does beside others that compute. Where there is no server the test is
 * skipped, under a title that says so, or fails if `KOLBA_REQUIRE` names `mariadb`.
 */
export function testMariadb(title: string, run: (t: ExecutionContext, url: string) => Promise<void>): void {
  if (!reason) return test.serial(title, t => inDatabase(url => run(t, url)))
  if (process.env.KOLBA_REQUIRE?.includes('mariadb')) return test(title, t => t.fail(reason))
  test.skip(`${title} (skipped: ${reason})`, t => t.pass())
}

async function unreachable(): Promise<string | undefined> {
  try {
    const connection = await mysql.createConnection({ uri: SERVER, connectTimeout: 2000 })
    await connection.end()
  } catch (error) {
    return `there is no MariaDB at ${SERVER}: ${(error as Error).message || String(error)}`
  }
}

let count = 0

async function inDatabase(run: (url: string) => Promise<void>): Promise<void> {
  // Other tests of the file may be busy in between.
  const connection = await mysql.createConnection({ uri: SERVER, connectTimeout: 60_000 })
  count += 1
  const name = `kolba_${process.pid}_${Date.now()}_${count}`
  await connection.query(`create database ${name} character set utf8mb4`)
  try {
    await run(Object.assign(new URL(SERVER), { pathname: `/${name}`, search: 'connectTimeout=60000&timezone=Z' }).href)
  } finally {
    await connection.query(`drop database ${name}`)
    await connection.end()
  }
}
