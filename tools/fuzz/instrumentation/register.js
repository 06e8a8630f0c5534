/** Loaded before everything else: from here on, the code under test counts which of its blocks run. */
import { register } from 'node:module';
import './blocks.js';

register('./hooks.js', import.meta.url);
