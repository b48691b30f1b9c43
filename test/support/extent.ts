/** Is all tested of what takes long and is much the same? CI does it once, by `KOLBA_EXTENT=whole`; else it is a part. */
export const isWhole = process.env.KOLBA_EXTENT === 'whole'
