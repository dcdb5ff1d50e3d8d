// What Lighthouse says of the page, from a running StudyMate:
//
//   node scripts/page-lighthouse.mjs http://127.0.0.1:PORT LECTURE_ID [--runs 3]
//
// Looks at the list and at a lecture, as on a phone (its processor four times slower, by a slow network) and as on a large
// screen. Lighthouse is fetched by npx; Chromium is the system's, and asks nobody else for anything. Prints JSON: scores from 0
// to 100 and times in milliseconds, medians of the runs, and what was found fault with.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from './lib/system-programs.mjs';

const lighthouse = 'lighthouse@12.8.2';
const categories = ['performance', 'accessibility', 'best-practices'];
const times = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'speed-index'];
const chromeFlags = [
  ...['--headless=new', '--no-sandbox', '--disable-gpu', '--mute-audio'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const maxReportBytes = 64 * 2 ** 20;
/** A visit whose trace Chromium has not recorded (NO_NAVSTART) says nothing of the page; it is made again. */
const maxTries = 3;

/** @returns Lighthouse's report of one visit */
async function visit(url, preset, chromePath) {
  const options = [
    ...['--output=json', '--output-path=stdout', '--quiet', `--chrome-flags=${chromeFlags.join(' ')}`],
    ...[`--only-categories=${categories.join(',')}`, ...(preset === 'desktop' ? ['--preset=desktop'] : [])],
  ];
  for (let tried = 1; ; tried++) {
    const { stdout, stderr } = await promisify(execFile)('npx', ['--yes', lighthouse, url, ...options], {
      env: { ...process.env, CHROME_PATH: chromePath },
      maxBuffer: maxReportBytes,
      // Its status is not 0 where the report has a fault, too.
    }).catch((error) => error);
    const report = stdout ? JSON.parse(stdout) : null;
    if (report !== null && report.runtimeError === undefined) return report;
    if (tried === maxTries) throw new Error(`Lighthouse ended without figures: ${stderr}`);
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Audits that took points off, by what they are about. */
function findFaults(reports) {
  const faults = new Set();
  for (const { audits, categories: found } of reports) {
    for (const { auditRefs } of Object.values(found)) {
      for (const { id, weight } of auditRefs) {
        const { score, title, displayValue = '' } = audits[id];
        if (weight > 0 && score !== null && score < 0.9) faults.add(`${id}: ${title} ${displayValue}`.trim());
      }
    }
  }
  return [...faults];
}

async function main(baseUrl, lectureId, runs) {
  const chromePath = await findProgram('chromium');
  if (chromePath === null) throw new Error('Chromium is missing; node scripts/setup.mjs --system installs it');
  const places = { list: `${baseUrl}/#/`, lecture: `${baseUrl}/#/lectures/${lectureId}` };
  const result = {};
  for (const [place, url] of Object.entries(places)) {
    for (const preset of ['mobile', 'desktop']) {
      const reports = [];
      for (let run = 0; run < runs; run++) reports.push(await visit(url, preset, chromePath));
      const scores = categories.map((id) => [
        id,
        Math.round(100 * median(reports.map((report) => report.categories[id].score))),
      ]);
      const ms = times.map((id) => [id, Math.round(median(reports.map(({ audits }) => audits[id].numericValue)))]);
      const layoutShift = Math.max(...reports.map(({ audits }) => audits['cumulative-layout-shift'].numericValue));
      result[`${place}, ${preset}`] = {
        // How quick Lighthouse found the machine: other work on it makes it less, and the times longer.
        machine: Math.round(median(reports.map(({ environment }) => environment.benchmarkIndex))),
        ...Object.fromEntries([...scores, ...ms]),
        layoutShift,
        faults: findFaults(reports),
      };
    }
  }
  console.log(JSON.stringify({ lighthouse, runs, ...result }, null, 2));
}

const [baseUrl, lectureId, flag, count] = process.argv.slice(2);
const runs = flag === '--runs' ? Number(count) : 3;
if (lectureId === undefined || (flag !== undefined && flag !== '--runs') || !(runs >= 1)) {
  console.error('usage: node scripts/page-lighthouse.mjs http://127.0.0.1:PORT LECTURE_ID [--runs 3]');
  process.exitCode = 2;
} else await main(baseUrl.replace(/\/+$/, ''), lectureId, Math.floor(runs));
