import{i as e,n as t,r as n}from"./api-C55PwzQh.js";async function r(r){let i=await n(`/api/v1/definitions`),a=(i.files??[]).filter(e=>!(e.path in r));for(let[e,t]of Object.entries(r))t!==null&&a.push({path:e,body:t});return e(t.PUT(`/api/v1/definitions`,{params:{header:{"If-Match":i.tag??``}},body:{files:a}}))}var i=/^[A-Za-z][A-Za-z0-9_.-]*( [A-Za-z0-9_.-]+)*$/,a=new Set([`true`,`false`,`null`,`yes`,`no`,`on`,`off`,`y`,`n`]);function o(e){return typeof e==`string`?i.test(e)&&!a.has(e.toLowerCase())?e:JSON.stringify(e):String(e)}function s(e,t=``){if(typeof e!=`object`||!e)return o(e);if(Array.isArray(e))return e.length===0?`[]`:e.map(e=>{let n=s(e,t+`  `);return typeof e==`object`&&e&&n.startsWith(`
`)?`\n${t}- ${n.trimStart()}`:`\n${t}- ${n}`}).join(``);let n=Object.entries(e);return n.length===0?`{}`:n.map(([e,n])=>{let r=s(n,t+`  `);return`\n${t}${o(e)}:${r.startsWith(`
`)?``:` `}${r}`}).join(``)}function c(e){return s(e).trimStart()+`
`}function l(e,t,n){let r=e.replace(/\r\n/g,`
`).replace(/\n+$/,``).split(`
`),i=r.findIndex(e=>e.startsWith(t+`:`)||e.startsWith(`"${t}":`)),a=i+1;if(i>=0){for(;a<r.length&&(/^\s/.test(r[a])||r[a]===``||r[a].startsWith(`- `));)a++;for(;a>i+1&&r[a-1]===``;)a--}let o=n===void 0?[]:c({[t]:n}).trimEnd().split(`
`);return i<0?[...r,...r.length&&o.length?[``]:[],...o].join(`
`)+`
`:[...r.slice(0,i),...o,...r.slice(a)].join(`
`)+`
`}export{c as n,l as r,r as t};