import { fileOf } from './page.ts';

/** What all pages look like. Colours are told apart in both schemes and by colour-blind readers (after Okabe and Ito). */
export const style = fileOf('base.css', import.meta.url);
