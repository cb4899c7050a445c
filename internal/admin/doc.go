// Package admin shows the shop to the people who run it: who its customers are,
// what is known and why, what was sent to them, what was not and why not.
//
// The pages are plain HTML, read-only and without script. They answer at once,
// whatever the engine is doing: figures that must be added up are added up
// beside the requests, and a page shows how far that has come. Every list has a
// limit. What a stranger may have sent is shown as text, and the policy of every
// answer forbids the browser to run or load anything but our style sheet.
//
// The package reads the node and the store and changes neither. Package
// admin/page draws what this package decides to say.
package admin
