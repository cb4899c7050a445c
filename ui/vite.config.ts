import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// What is built is checked in and compared, so nothing in it may depend on the
// machine: names are hashes of contents, and there are no maps.
export default defineConfig({
  base: '/ui/',
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: false,
    assetsInlineLimit: 0, // the policy of the pages lets nothing inline through
    modulePreload: { polyfill: false },
  },
});
