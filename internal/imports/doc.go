// Package imports keeps the book of imports: what was brought in, by whom, how far
// it came and what it changed for those who can be written to.
//
// Each import has an id. Its events carry it, its consents name it as their
// evidence, and its suppressions are written in its name; so all of it can be found
// again and taken back. The book lies in the data directory, one file an import, with
// the homes that its events went to beside it, and is durable before the import
// says that it is.
//
// An API calls what the command calls: [Begin], [Import.Orders], [Import.People] and
// [Undo] take a reader and a node. A [Desk] keeps files that people upload: it says how
// a file is understood, tries it, imports it in the background, and goes on after a
// restart.
package imports
