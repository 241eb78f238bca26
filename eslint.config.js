import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

// What a folder may not import: arrows go one way, from the protocol outward to the edges.
const walls = [
  [['src/oauth/**'], ['**/providers/**', '**/store/**', '**/routes/**', '**/app.ts', '**/server.ts', '**/cli.ts']],
  [['src/providers/**'], ['**/store/**', '**/routes/**', '**/app.ts', '**/server.ts', '**/cli.ts']],
  [['src/store/**', 'src/vault.ts'], ['**/providers/**', '**/oauth/**', '**/routes/**', '**/app.ts', '**/server.ts', '**/cli.ts']],
  [['src/flows/**'], ['**/routes/**', '**/app.ts', '**/server.ts', '**/cli.ts']],
  [['src/routes/**', 'src/pages/**'], ['**/app.ts', '**/server.ts', '**/cli.ts', '**/commands/**']],
  [['src/emulator/**'], ['**/store/**', '**/flows/**', '**/routes/**', '**/providers/**', '**/vault.ts', '**/app.ts', '**/server.ts']],
]

export default [
  ...neostandard({ ts: true, ignores: ['**/node_modules/**', '.tap/**', 'dist/**', 'wp-snippet/**'] }),
  {
    files: ['**/*.ts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', {
        allowForKnownSafeCalls: [
          { from: 'package', package: 'tap', name: ['test', 't'] },
          { from: 'package', package: '@tapjs/test', name: ['test', 't'] },
          { from: 'package', package: '@tapjs/core', name: ['test', 't'] }
        ]
      }],
      '@typescript-eslint/no-misused-promises': 'error',
      // How a promise says that nobody waits for it.
      'no-void': ['error', { allowAsStatement: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 100 }],
    },
  },
  ...walls.map(([files, group]) => ({ files, rules: { 'no-restricted-imports': ['error', { patterns: [{ group }] }] } })),
]
