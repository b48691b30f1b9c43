import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of the repository, from wherever this file has been compiled to. */
export const root = upwards(import.meta.dirname)

function upwards(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : upwards(dirname(folder))
}
