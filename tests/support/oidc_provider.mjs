// A real OpenID provider (npm: oidc-provider) on this machine, with a login page of its own and people known by name.
// node oidc_provider.mjs PORT REDIRECT_URI GROUPS, the last one JSON: {"name": ["group", ...]}

import Provider from "oidc-provider";

const [port, redirectUri, people] = process.argv.slice(2);
const groups = JSON.parse(people);

const provider = new Provider(`http://localhost:${port}`, {
  clients: [{ client_id: "haidang", client_secret: "a-secret-of-the-tests", redirect_uris: [redirectUri] }],
  claims: { openid: ["sub", "amr"], profile: ["preferred_username", "groups"] },
  cookies: { keys: ["a key of the tests"] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
  pkce: { required: () => true },
  ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 60, IdToken: 60 },
  findAccount: (_, name) => ({
    accountId: name,
    claims: () => ({ sub: `subject-of-${name}`, preferred_username: name, groups: groups[name] }),
  }),
  async loadExistingGrant(ctx) {
    const { client, session } = ctx.oidc;
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
});

const PAGE = `<!doctype html><title>Provider</title><form method="post"><input id="login" name="login">
<button>Log in</button><button id="cancel" name="cancel" value="1">Cancel</button></form>`;

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/login/")) return next();
  if (ctx.method === "GET") {
    ctx.type = "html";
    ctx.body = PAGE;
    return undefined;
  }
  let body = "";
  for await (const chunk of ctx.req) body += chunk;
  const typed = new URLSearchParams(body);
  const result = typed.get("cancel")
    ? { error: "access_denied", error_description: "cancelled" }
    : { login: { accountId: typed.get("login"), amr: ["pwd", "otp"] } };
  ctx.respond = false;
  return provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
});

provider.on("server_error", (_, error) => console.error(error));
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
