// Package mjml compiles MJML, the markup for mails that fit every screen, to
// HTML.
//
// The compiler is the official one, built once into a single file by
// test/mail/mjml/build.mjs and run by a JavaScript engine inside the process:
// what it makes is, byte for byte, what it makes under node. It runs when
// definitions are compiled, never when a message is sent.
//
// It knows nothing of Liquid, so each {{ output }} and {% tag %} is replaced by
// a word before, and the word by it after. Liquid may stand wherever MJML keeps
// text: in mj-raw, mj-text, mj-button, mj-table and the other elements that end
// in words, in attributes, and in styles. Elsewhere MJML drops text in silence,
// which here is a problem with its line.
//
// The engine may use a bounded amount of memory and time, and has no files, no
// network and no clock but its own.
package mjml
