// Package peers lets the mail programs that others run judge our mail: Postfix takes
// it, OpenDKIM and dkimpy check its signatures, a DMARC checker its alignment, and
// a real bounce comes back to our own door. Everything listens on loopback, with
// its files in a folder of the test, and is gone at the end.
package peers
