// The demo as the command line sees it: to click through, or doing the journey by itself.
export { runDemoOnce } from './journey.ts'
export { type Demo, type DemoOptions, startDemo } from './start.ts'
