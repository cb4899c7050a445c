// The command has a comment that does not begin with its name.
package main // want package-comment

// TODO write the rest // want unfinished
func main() {} // FIXME(#12): not even a number helps this one // want unfinished

/*
XXX: neither in a long comment // want unfinished
*/
