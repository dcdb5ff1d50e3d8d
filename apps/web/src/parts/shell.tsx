import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { useApp, useMessages } from '../state/app.ts';
import { languages } from '../state/language.ts';
import { toPercent } from '../text/format.ts';
import { toMessage } from '../text/problems.ts';

/** What stays while views come and go: header, main area, the line about an API that is away, and short notes. */
export function Shell(props: { onSignOut: (() => void) | null; onHelp(): void; children: ComponentChildren }) {
  const { notices, uploads, language, singleKeys } = useApp();
  const m = useMessages();
  const main = useRef<HTMLElement>(null);
  const pending = uploads.pending.value;
  const problem = notices.problem.value;
  return (
    <>
      {/* No link: what follows the hash is the address of a view. */}
      <button class="skip" type="button" onClick={() => main.current?.focus()}>
        {m.shell.skip}
      </button>
      <header class="header">
        <a class="brand" href="#/" aria-label={m.home.brandLabel}>
          <img class="brand-mark" src="icon.svg" alt="" />
          StudyMate
        </a>
        <div class="header-end">
          <a class="header-uploads" href="#/" hidden={pending === null}>
            {pending !== null && m.shell.uploads(pending.count, toPercent(pending.share))}
          </a>
          {languages
            .filter(({ code }) => code !== language.code.value)
            .map(({ code, name }) => (
              <button
                key={code}
                class="button is-small is-quiet"
                type="button"
                lang={code}
                onClick={() => void language.choose(code)}
              >
                {name}
              </button>
            ))}
          <button
            class="button is-small is-quiet"
            type="button"
            aria-label={m.shell.help}
            title={m.shell.help}
            aria-keyshortcuts={singleKeys.areOn.value ? '?' : undefined}
            onClick={props.onHelp}
          >
            ?
          </button>
          {props.onSignOut !== null && (
            <button class="button is-small" type="button" onClick={props.onSignOut}>
              {m.shell.signOut}
            </button>
          )}
        </div>
      </header>
      <p class="banner" role="alert" hidden={problem === null}>
        {problem !== null && toMessage(problem, m)}
      </p>
      <main ref={main} id="main" tabIndex={-1}>
        {props.children}
      </main>
      <div class="notes" role="status">
        {notices.notes.value.map(({ id, text }) => (
          <p key={id} class="note">
            {text}
          </p>
        ))}
      </div>
      <div class="visually-hidden" role="status">
        {notices.announcement.value}
      </div>
    </>
  );
}
