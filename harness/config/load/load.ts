/** Reads matrices and suites; every error is a ConfigError with its place and the expected value. */
export { matrixFromFlags } from './from-flags.ts';
export { loadMatrix, resolveMatrixFile } from './matrix.ts';
export { loadSuite } from './suite.ts';
export { loadSuites, mustBeWhole, readSuites } from './suites.ts';
