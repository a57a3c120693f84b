// An application whose views say which of them was chosen. Arguments: the package (express, express4), the port.
const { createRequire } = require("node:module");
const [name, port] = process.argv.slice(2);
const express = createRequire(process.cwd() + "/")(name);
const app = express();
const view = (name) => (request, response) => response.set("x-view", name).send(request.url);
app.get("/public", view("public"));
app.use("/public", view("public"));
app.get("/admin", view("admin"));
app.use("/admin", view("admin"));
app.get("/users/:id/orders", view("orders"));
app.use(view("other"));
app.use((error, request, response, next) => response.set("x-view", "none").status(error.status ?? 500).send());
app.listen(Number(port), "127.0.0.1");
