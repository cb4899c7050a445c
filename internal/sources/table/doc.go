// Package table reads the tables that people have: CSV and its relatives, and JSON
// one object a line; packed by gzip, zstd or zip or not at all; in UTF-8, UTF-16 or
// windows-1252.
//
// A table is read as a stream, so its size does not matter. A record that cannot be
// split costs itself and no other; what nobody closes or what unpacks to more than
// it should is cut off. What a column means is for those who ask: [MapColumns] guesses
// by its name, and its values are read by [Cell], [Sum], [Pieces] and [Dates].
package table
