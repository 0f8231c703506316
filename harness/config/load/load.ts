/** How matrices and suites are read; every error is a ConfigError that says where and what was expected. */
export { type FlagPlaces, type MatrixFlags, matrixFromFlags } from './from-flags.ts';
export { loadMatrix, type MatrixPlaces, resolveMatrixFile } from './matrix.ts';
export { loadSuite } from './suite.ts';
export { loadSuites, mustBeWhole, readSuites } from './suites.ts';
