import eslint from '@eslint/js'
import prettier from 'eslint-config-prettier'
import tseslint from 'typescript-eslint'

/**
 * Who may import whom: docs/architecture.md, "Layers". Each row says which folders of src/ a layer must
 * not reach into.
 */
const LAYERS = [
  { layer: 'apimachinery', forbidden: ['*/**', '!apimachinery/**'] },
  { layer: 'serving', forbidden: ['kube', 'apis', 'controllers', 'cmd', 'controller'] },
  { layer: 'client', forbidden: ['kube', 'apis', 'controllers', 'cmd', 'controller', 'serving'] },
  { layer: 'controller', forbidden: ['kube', 'apis', 'controllers', 'cmd', 'serving'] },
  { layer: 'authentication', forbidden: ['kube', 'apis', 'controllers', 'cmd'] },
  { layer: 'authorization', forbidden: ['kube', 'apis', 'controllers', 'cmd'] },
  { layer: 'listing', forbidden: ['kube', 'apis', 'controllers', 'cmd'] },
  { layer: 'tenancy', forbidden: ['kube', 'apis', 'controllers', 'cmd'] },
  { layer: 'integrations', forbidden: ['kube', 'apis', 'controllers', 'cmd', 'serving', 'controller'] },
  { layer: 'monitoring', forbidden: ['kube', 'apis', 'controllers', 'cmd', 'serving'] },
  { layer: 'notification', forbidden: ['kube', 'apis', 'controllers', 'cmd'] },
  { layer: 'guard', forbidden: ['kube', 'apis', 'controllers', 'cmd'] },
  { layer: 'admission', forbidden: ['kube', 'apis', 'controllers', 'cmd'] },
  { layer: 'auditing', forbidden: ['kube', 'apis', 'controllers', 'cmd'] },
  { layer: 'collecting', forbidden: ['kube', 'apis', 'controllers', 'cmd', 'serving'] },
  { layer: 'eventrules', forbidden: ['kube', 'apis', 'controllers', 'cmd', 'serving'] },
  { layer: 'apis', forbidden: ['kube', 'controllers', 'cmd'] },
  { layer: 'controllers', forbidden: ['kube', 'cmd', 'serving'] },
  {
    layer: 'kube',
    forbidden: ['apis', 'controllers', 'authentication', 'authorization', 'cmd', 'configuration'],
  },
]

/** How deep folders go below a layer. */
const DEPTHS = [0, 1, 2, 3]

/** A path that leaves a layer has one `../` more than its file is deep: `kube/authorization` is not `authorization`. */
const layerRules = LAYERS.flatMap(({ layer, forbidden }) =>
  DEPTHS.map((depth) => ({
    files: [`src/${layer}/${'*/'.repeat(depth)}*.ts`],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            layer === 'apimachinery'
              ? {
                  regex: `^(\\.\\./){${depth + 1}}(?!apimachinery)`,
                  message: 'apimachinery imports nothing of ours.',
                }
              : {
                  regex: `^(\\.\\./){${depth + 1}}(${forbidden.join('|')})/`,
                  message: `src/${layer} must not import this layer; see docs/architecture.md, "Layers".`,
                },
          ],
        },
      ],
    },
  })),
)

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'coverage', '.orrery', 'config'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cmd/**', '**/*.test.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only src/cmd reads the environment.' },
        { object: 'process', property: 'exit', message: 'Only src/cmd ends the process.' },
      ],
      'no-console': 'error',
    },
  },
  {
    // A server that does not use them does not hold them: 50 MB together.
    files: ['src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/fixture.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            ...['@xmldom/xmldom', 'ioredis', 'jose', 'ldapts', 'pino-pretty'].map((name) => ({
              name,
              message: 'Load it where it is first used; import only its types.',
              allowTypeImports: true,
            })),
            {
              name: 'typebox',
              message: 'Write schemas with apimachinery/schema/type.ts.',
              allowTypeImports: true,
            },
          ],
        },
      ],
    },
  },
  {
    // Tests read answers of any shape; what they expect of them is the check.
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
      },
    },
  },
  ...layerRules,
  prettier,
)
