"use strict";

const make = (name, text) => {
  const element = document.createElement(name);
  if (text) {
    element.textContent = text;
  }
  return element;
};

const resolve = (description, part) => part.$ref
  ? part.$ref.slice(2).split("/").reduce((at, name) => at[name], description)
  : part;

const pretty = text => {
  try {
    // Numbers may have more digits than this page's own could hold: what cannot be kept is shown as it came.
    const parsed = JSON.parse(text);
    return JSON.stringify(parsed) === text.trim() ? JSON.stringify(parsed, null, 2) : text;
  } catch {
    return text;
  }
};

const field = (form, parameter) => {
  const label = make("label", parameter.name);
  const input = make("input");
  input.name = parameter.name;
  input.required = parameter.in === "path";
  input.placeholder = parameter.schema?.enum?.join(", ") ?? "";
  label.append(input, make("small", parameter.description));
  form.append(label);
  return () => [parameter, input.value];
};

const send = async (method, path, values, body, out) => {
  const query = new URLSearchParams();
  const headers = {};
  for (const [parameter, value] of values) {
    if (parameter.in === "path") {
      path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    } else if (value !== "") {
      parameter.in === "query" ? query.set(parameter.name, value) : headers[parameter.name] = value;
    }
  }
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  const address = query.size > 0 ? `${path}?${query}` : path;
  out.textContent = `${method} ${address}\n`;
  try {
    const answer = await fetch(address, { method, headers, body, cache: "no-store" });
    const etag = answer.headers.get("ETag");
    out.textContent += `${answer.status}${etag ? `  ETag: ${etag}` : ""}\n\n${pretty(await answer.text())}`;
  } catch (problem) {
    out.textContent += `Nobody answers: ${problem.message}`;
  }
};

const show = (description, path, method, operation) => {
  const details = make("details");
  const summary = make("summary");
  summary.append(make("b", method.toUpperCase()), make("code", path), make("span", operation.summary));
  const form = make("form");
  const values = (operation.parameters ?? []).map(part => field(form, resolve(description, part)));
  let text;
  if (operation.requestBody) {
    const label = make("label", "body");
    text = make("textarea");
    text.value = JSON.stringify(operation.requestBody.content["application/json"].example, null, 2);
    label.append(text);
    form.append(label);
  }
  const out = make("pre");
  form.append(make("button", "Send"));
  form.addEventListener("submit", event => {
    event.preventDefault();
    send(method.toUpperCase(), path, values.map(value => value()), text?.value, out);
  });
  details.append(summary, form, out);
  return details;
};

const start = async () => {
  const main = document.getElementById("operations");
  const description = await (await fetch("/openapi.json")).json();
  main.replaceChildren();
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      main.append(show(description, path, method, operation));
    }
  }
};

start().catch(problem => {
  document.getElementById("operations").textContent = `The description cannot be read: ${problem.message}`;
});
