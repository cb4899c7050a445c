// Package csv brings orders from a file of a stranger's making into the log, as
// history: it changes customers and never sends.
//
// A file is read as a stream, so its size does not matter. Each line is one
// product on one order; lines with one order number become one Order Completed
// and, for what was returned, one Order Refunded. Their message ids are made of
// the source and the order number alone, so importing a file again, or half of it
// after a crash, changes nothing that is there.
//
// Nothing is dropped in silence and no order arrives in part. A line that cannot
// be understood is reported with its number and a reason, and so are the other
// lines of its order: a corrected file with these lines can be imported later,
// which it could not if the order were there already with some lines missing.
//
// The reader takes what people have: gzip or zstd, comma, semicolon or tab,
// prices with a decimal comma, dates of either order. Where a file can be read
// in two ways it asks instead of guessing.
package csv
