// Asks every audit of the package of an endpoint, one after the other, and prints what each found as JSON.
// node audits.cjs PACKAGE URL [CREDENTIAL]
const [, , from, url, credential] = process.argv;
const { serverAudits } = require(from);

const fetchFn = (to, init = {}) =>
  fetch(to, credential ? { ...init, headers: { ...init.headers, authorization: credential } } : init);

const answered = async (answer) =>
  answer && { status: answer.status, type: answer.headers.get("content-type"), body: await answer.text().catch(String) };

(async () => {
  const found = {};
  for (const audit of serverAudits({ url, fetchFn })) {
    const { name, status, reason, response } = await audit.fn();
    found[audit.id] = { name, status, reason, answer: await answered(response) };
  }
  console.log(JSON.stringify(found));
})();
