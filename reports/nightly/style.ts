import { fileOf } from '../html/page.ts';

/** On top of what all pages look like. */
export const style = fileOf('nightly.css', import.meta.url);
