import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
  resolve: {
    alias: [
      { find: /^contrafact\/(.+)$/, replacement: `${import.meta.dirname}/src/$1/index.ts` },
      { find: /^contrafact$/, replacement: `${import.meta.dirname}/src/index.ts` },
    ],
  },
})
