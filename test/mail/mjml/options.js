// How the product compiles. Validation is soft, so that every mistake is told at
// once. No font is fetched from anywhere unless the template itself says so:
// whoever serves fonts to mails learns who reads them. There is no file to include.
export const options = () => ({ validationLevel: 'soft', fonts: {}, keepComments: true, beautify: false, minify: false, ignoreIncludes: true })
