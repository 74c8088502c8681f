// Classic script in the head: modules and fetch do not run over file://. The page then stands as it does without scripts
// (karte.css and others go by the class), and an element marked for it says so.
if (location.protocol === 'file:') {
  document.documentElement.classList.add('ohne-skript');
  document.addEventListener('DOMContentLoaded', function () {
    document.querySelectorAll('[data-ordner]').forEach(function (hint) { hint.hidden = false; });
  });
}
