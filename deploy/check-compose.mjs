// Checks docker-compose.yml without an engine: what it names exists. `bin/test checks` runs it with the output of
// `tertulia serve --help` as its argument, so that the server's own list decides which variables there are.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { parse } = createRequire(join(root, 'end2end/package.json'))('yaml');
const help = readFileSync(process.argv[2], 'utf8');
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const file = parse(text, { merge: true });
const services = Object.entries(file.services);
const problems = [];

const mustExist = (where, path) => {
  if (!existsSync(join(root, path))) problems.push(`${where} names ${path}, which does not exist`);
};

const mountedBy = (mount) => {
  const [source, target] = typeof mount === 'string' ? mount.split(':') : [mount.source, mount.target];
  return { source, target };
};

for (const [name, service] of services) {
  if (!service.image && !service.build) problems.push(`${name} has neither an image nor a build`);
  if (service.build) {
    const context = service.build.context ?? service.build;
    mustExist(`${name}.build`, join(context, service.build.dockerfile ?? 'Dockerfile'));
  }
  for (const mount of service.volumes ?? []) {
    const { source, target } = mountedBy(mount);
    if (!target) problems.push(`${name}: the mount ${JSON.stringify(mount)} has no target`);
    if (source.startsWith('.')) mustExist(`${name}.volumes`, source);
    else if (!(source in (file.volumes ?? {}))) problems.push(`${name} mounts the volume ${source}, which is not declared`);
  }
  for (const [other, rule] of Object.entries(service.depends_on ?? {})) {
    const dependency = file.services[other];
    if (!dependency) problems.push(`${name} depends on ${other}, which does not exist`);
    else if (rule.condition === 'service_healthy' && !dependency.healthcheck)
      problems.push(`${name} waits for the health of ${other}, which has no healthcheck`);
  }
  if (!service.healthcheck && service.restart !== 'no') problems.push(`${name} has no healthcheck`);
  if (service.ports && name !== 'proxy') problems.push(`${name} publishes ports; only the proxy may`);
  for (const variable of Object.keys(service.environment ?? {})) {
    if (variable.startsWith('TERTULIA_') && !new RegExp(`\\b${variable}\\b`).test(help))
      problems.push(`${name} sets ${variable}, which \`tertulia serve --help\` does not know`);
  }
}
for (const [, name, rest] of text.matchAll(/(?<!\$)\$\{(\w+)([^}]*)\}/g)) {
  if (!/^:?-/.test(rest)) problems.push(`\${${name}} has no default, so a plain \`docker compose up\` fails`);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`RESULT: docker-compose.yml: ${services.length} services; every path, volume and variable it names exists`);
