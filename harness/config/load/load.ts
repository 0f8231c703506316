/** How matrices and suites are read; every error is a ConfigError that says where and what was expected. */
export { matrixFromFlags } from './from-flags.ts';
export { loadMatrix, resolveMatrixFile } from './matrix.ts';
export { loadSuite } from './suite.ts';
export { loadSuites, mustBeWhole, readSuites } from './suites.ts';
