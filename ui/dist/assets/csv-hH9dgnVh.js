function e(e){let t=e=>{if(typeof e==`number`)return String(e);let t=/^[=+\-@\t\r]/.test(e)?`'${e}`:e;return/[",\n\r]/.test(t)?`"${t.replaceAll(`"`,`""`)}"`:t};return e.map(e=>e.map(t).join(`,`)).join(`\r
`)+`\r
`}function t(e,t){let n=document.createElement(`a`);n.href=URL.createObjectURL(new Blob([t],{type:`text/csv`})),n.download=e,n.click(),URL.revokeObjectURL(n.href)}export{t as n,e as t};